# frozen_string_literal: true

# Turns HTML into Markdown or text. Arguments: one JSON object on stdin; answer: one JSON object on stdout.

require 'json'
require_relative 'parser'
require_relative 'renderer'

MAX_FILE_BYTES = 4 * 1024 * 1024

# What cannot be read, and what is wanted, for whoever called.
class InputError < StandardError; end

def read_file(path)
  file = File.absolute_path(path, ENV.fetch('KAIZEN_ROOT_DIR'))
  raise InputError, "Cannot read \"#{path}\": wanted a file below the root" unless File.file?(file)

  bytes = File.binread(file, MAX_FILE_BYTES + 1) || ''
  raise InputError, "Cannot read \"#{path}\": it is larger than #{MAX_FILE_BYTES / 1024 / 1024} MiB" if bytes.bytesize > MAX_FILE_BYTES

  decode(bytes)
rescue SystemCallError => e
  raise InputError, "Cannot read \"#{path}\": #{e.class.name.split('::').last}; wanted a file below the root"
end

# UTF-8, or what the page says it is, or what browsers take it for.
def decode(bytes)
  text = bytes.dup.force_encoding(Encoding::UTF_8)
  return text.delete_prefix("\uFEFF") if text.valid_encoding?

  name = bytes[0, 2048][/charset\s*=\s*["']?([\w-]+)/i, 1] || 'windows-1252'
  encoding = begin
    Encoding.find(name)
  rescue ArgumentError
    Encoding::Windows_1252
  end
  encoding = Encoding::Windows_1252 if encoding == Encoding::ISO_8859_1 || encoding == Encoding::UTF_8
  bytes.encode(Encoding::UTF_8, encoding, invalid: :replace, undef: :replace)
rescue EncodingError
  bytes.encode(Encoding::UTF_8, Encoding::Windows_1252, invalid: :replace, undef: :replace)
end

begin
  arguments = JSON.parse($stdin.read)
  html = arguments.key?('path') ? read_file(arguments['path']) : arguments.fetch('html')
  tree = parse_html(html)
  renderer = Renderer.new(
    markdown: arguments.fetch('format', 'markdown') == 'markdown',
    base_url: arguments['base_url'],
    links: arguments.fetch('links', true)
  )
  text = renderer.render(tree)
  answer = { text: text, title: renderer.title, words: text.scan(/[\p{L}\p{N}]+/).length, links: renderer.link_count }
rescue InputError => e
  answer = { error: e.message }
end
$stdout.write(JSON.generate(answer))
