# Compiles the Ruby files that it is given and runs none of them. Prints `index<TAB>line<TAB>message` for each that is wrong.
$VERBOSE = nil
ARGV.each_with_index do |path, index|
  RubyVM::InstructionSequence.compile_file(path)
rescue SyntaxError, SystemCallError, ArgumentError, EncodingError => error
  # Up to 3.3 each error is `path:line: message`; later ones are drawn below a head that says where.
  text = error.message.scrub.delete_prefix(path)
  line = text[/\A:(\d+)/, 1] || text[/^>\s*(\d+) \|/, 1] || 0
  drawn = text[/\^+~* (.+)/, 1]
  puts [index, line, (drawn || text.sub(/\A:\d+:\s*/, '').lines.first.to_s).split.join(' ')].join("\t")
end
