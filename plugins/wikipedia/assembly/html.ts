/** The text of a fragment of HTML on one line: tags dropped, entities replaced, white space joined. */
export function htmlToText(html: string): string {
  const parts: string[] = [];
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf("<", at);
    parts.push(html.substring(at, open < 0 ? html.length : open));
    if (open < 0) break;
    const close = html.indexOf(">", open);
    if (close < 0) break;
    at = close + 1;
  }
  return joinSpace(replaceEntities(parts.join("")));
}

function replaceEntities(text: string): string {
  const parts: string[] = [];
  let at = 0;
  while (at < text.length) {
    const start = text.indexOf("&", at);
    if (start < 0) break;
    parts.push(text.substring(at, start));
    const end = text.indexOf(";", start);
    // The longest entity that is read here has nine units; anything else is text.
    const replaced = end > start && end - start <= 9 ? entity(text.substring(start + 1, end)) : "";
    parts.push(replaced.length > 0 ? replaced : "&");
    at = replaced.length > 0 ? end + 1 : start + 1;
  }
  parts.push(text.substring(at));
  return parts.join("");
}

function entity(name: string): string {
  if (name == "amp") return "&";
  if (name == "lt") return "<";
  if (name == "gt") return ">";
  if (name == "quot") return '"';
  if (name == "apos") return "'";
  if (name == "nbsp") return " ";
  if (name == "ndash") return "–";
  if (name == "mdash") return "—";
  if (name == "hellip") return "…";
  if (!name.startsWith("#")) return "";
  const hex = name.charAt(1) == "x" || name.charAt(1) == "X";
  const code = parseCode(name.substring(hex ? 2 : 1), hex ? 16 : 10);
  const scalar = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return scalar ? String.fromCodePoint(code) : "";
}

/** Digits of a base, or -1. */
function parseCode(digits: string, base: i32): i32 {
  let value = 0;
  for (let i = 0; i < digits.length; i++) {
    const unit = digits.charCodeAt(i);
    const lower = unit | 0x20;
    const digit = unit >= 0x30 && unit <= 0x39 ? unit - 0x30 : lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : 99;
    if (digit >= base) return -1;
    value = value * base + digit;
  }
  return digits.length == 0 ? -1 : value;
}

function joinSpace(text: string): string {
  const words = text.split("\n").join(" ").split("\t").join(" ").split(" ");
  const kept: string[] = [];
  for (let i = 0; i < words.length; i++) if (words[i].length > 0) kept.push(words[i]);
  return kept.join(" ");
}
