const chunks = [];
process.stdin.on('data', (chunk) => chunks.push(chunk));
process.stdin.on('end', () => {
  const { text } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  console.log(JSON.stringify({ text }));
});
