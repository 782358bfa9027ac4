# frozen_string_literal: true

# Character references of HTML: those of HTML 4 (w3.org/TR/html401/sgml/entities.html) and common ones of HTML 5.

LATIN = %w[
  nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para
  middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute
  Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute
  THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde
  ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml
].each_with_index.to_h { |name, index| [name, [160 + index].pack('U')] }

GREEK = %w[
  Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho _ Sigma Tau Upsilon Phi Chi Psi Omega
].each_with_index.flat_map { |name, index| [[name, [913 + index].pack('U')], [name.downcase, [945 + index].pack('U')]] }.to_h

ENTITIES = {
  'amp' => '&', 'lt' => '<', 'gt' => '>', 'quot' => '"', 'apos' => "'", 'AMP' => '&', 'LT' => '<', 'GT' => '>', 'QUOT' => '"',
  'OElig' => 'Œ', 'oelig' => 'œ', 'Scaron' => 'Š', 'scaron' => 'š', 'Yuml' => 'Ÿ', 'fnof' => 'ƒ', 'circ' => 'ˆ', 'tilde' => '˜',
  'ensp' => "\u2002", 'emsp' => "\u2003", 'thinsp' => "\u2009", 'zwnj' => "\u200c", 'zwj' => "\u200d", 'lrm' => "\u200e", 'rlm' => "\u200f",
  'ndash' => '–', 'mdash' => '—', 'lsquo' => '‘', 'rsquo' => '’', 'sbquo' => '‚', 'ldquo' => '“', 'rdquo' => '”', 'bdquo' => '„',
  'dagger' => '†', 'Dagger' => '‡', 'bull' => '•', 'hellip' => '…', 'permil' => '‰', 'prime' => '′', 'Prime' => '″',
  'lsaquo' => '‹', 'rsaquo' => '›', 'oline' => '‾', 'frasl' => '⁄', 'euro' => '€', 'trade' => '™', 'larr' => '←', 'uarr' => '↑',
  'rarr' => '→', 'darr' => '↓', 'harr' => '↔', 'crarr' => '↵', 'lArr' => '⇐', 'rArr' => '⇒', 'hArr' => '⇔', 'forall' => '∀',
  'part' => '∂', 'exist' => '∃', 'empty' => '∅', 'nabla' => '∇', 'isin' => '∈', 'notin' => '∉', 'prod' => '∏', 'sum' => '∑',
  'minus' => '−', 'lowast' => '∗', 'radic' => '√', 'prop' => '∝', 'infin' => '∞', 'ang' => '∠', 'and' => '∧', 'or' => '∨',
  'cap' => '∩', 'cup' => '∪', 'int' => '∫', 'there4' => '∴', 'sim' => '∼', 'cong' => '≅', 'asymp' => '≈', 'ne' => '≠',
  'equiv' => '≡', 'le' => '≤', 'ge' => '≥', 'sub' => '⊂', 'sup' => '⊃', 'sube' => '⊆', 'supe' => '⊇', 'oplus' => '⊕',
  'otimes' => '⊗', 'perp' => '⊥', 'sdot' => '⋅', 'loz' => '◊', 'spades' => '♠', 'clubs' => '♣', 'hearts' => '♥', 'diams' => '♦',
  'sigmaf' => 'ς', 'check' => '✓', 'cross' => '✗', 'star' => '☆', 'starf' => '★', 'phone' => '☎', 'num' => '#', 'excl' => '!',
  'lpar' => '(', 'rpar' => ')', 'lsqb' => '[', 'rsqb' => ']', 'lbrace' => '{', 'rbrace' => '}', 'ast' => '*', 'lowbar' => '_',
  'colon' => ':', 'semi' => ';', 'comma' => ',', 'period' => '.', 'sol' => '/', 'bsol' => '\\', 'vert' => '|', 'commat' => '@',
  'dollar' => '$', 'percnt' => '%', 'plus' => '+', 'equals' => '=', 'quest' => '?', 'grave' => '`', 'Hat' => '^', 'Tab' => "\t",
  'NewLine' => "\n"
}.merge(LATIN, GREEK.reject { |name, _| name == '_' }).freeze

# What &#128; to &#159; mean, for pages written in windows-1252 (html.spec.whatwg.org, “numeric character reference end state”).
WINDOWS = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ".chars.freeze

# These names may stand without a semicolon, as old pages have them.
BARE = (LATIN.keys + %w[amp lt gt quot AMP LT GT QUOT]).freeze
REFERENCE = /&(?:#(?:[xX](?<hex>\h{1,8})|(?<decimal>\d{1,9}));?|(?<name>[A-Za-z][A-Za-z0-9]{1,31});|(?<bare>#{BARE.sort_by { |name| -name.length }.join('|')})(?![A-Za-z0-9=]))/

def decode_references(text)
  return text unless text.include?('&')

  text.gsub(REFERENCE) do |whole|
    found = Regexp.last_match
    if found[:hex] || found[:decimal]
      character_of(found[:hex] ? found[:hex].to_i(16) : found[:decimal].to_i)
    else
      ENTITIES.fetch(found[:name] || found[:bare], whole)
    end
  end
end

def character_of(code)
  return WINDOWS[code - 128] if code.between?(128, 159)
  return "\uFFFD" if code < 9 || code > 0x10FFFF || code.between?(0xD800, 0xDFFF)

  [code].pack('U')
end
