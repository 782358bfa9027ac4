# frozen_string_literal: true

require 'strscan'
require_relative 'entities'

# HTML → a tree of elements and strings, as forgiving as browsers are (html.spec.whatwg.org §13.2, by and large).

Element = Struct.new(:name, :attributes, :children) do
  def [](key)
    attributes[key]
  end
end

VOID = %w[area base br col embed hr img input link meta param source track wbr].freeze
# Their text holds no tags.
RAW = %w[script style xmp iframe noembed noframes textarea title].freeze
DECODED_RAW = %w[textarea title].freeze
# What ends when the other begins: nobody writes </li>.
CLOSED_BY = {
  'li' => %w[li],
  'dt' => %w[dt dd], 'dd' => %w[dt dd],
  'tr' => %w[tr td th], 'td' => %w[td th], 'th' => %w[td th],
  'thead' => %w[tr td th thead tbody tfoot], 'tbody' => %w[tr td th thead tbody tfoot], 'tfoot' => %w[tr td th thead tbody tfoot],
  'option' => %w[option], 'optgroup' => %w[option optgroup]
}.freeze
# What an open element cannot be closed across.
SCOPES = {
  'li' => %w[ul ol menu], 'dt' => %w[dl], 'dd' => %w[dl],
  'tr' => %w[table], 'td' => %w[table], 'th' => %w[table], 'thead' => %w[table], 'tbody' => %w[table], 'tfoot' => %w[table],
  'option' => %w[select], 'optgroup' => %w[select]
}.freeze
# A paragraph ends where one of these begins.
BLOCKS = %w[
  address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6
  header hgroup hr main menu nav ol p pre search section table ul
].freeze
# Deeper elements become children of the one at this depth: nobody reads them as levels.
MAX_DEPTH = 200
MAX_ATTRIBUTES = 64

ATTRIBUTE = %r{[\s/]*([^\s"'<>/=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)))?}

def parse_html(html)
  TreeBuilder.new(html.scrub("\uFFFD").delete("\u0000-\u0008")).build
end

class TreeBuilder
  def initialize(html)
    @scanner = StringScanner.new(html)
    @root = Element.new('root', {}, [])
    @open = [@root]
    @open_count = Hash.new(0)
  end

  def build
    read_next until @scanner.eos?
    @root
  end

  private

  def read_next
    if (text = @scanner.scan(/[^<]+/))
      add_text(decode_references(text))
    elsif @scanner.scan(/<!--/)
      @scanner.scan_until(/--!?>/) || @scanner.terminate
    elsif @scanner.scan(/<!\[CDATA\[/)
      text = @scanner.scan_until(/\]\]>/)
      add_text(text ? text.delete_suffix(']]>') : @scanner.rest)
      @scanner.terminate unless text
    elsif @scanner.scan(/<[!?]/)
      @scanner.scan_until(/>/) || @scanner.terminate
    elsif @scanner.scan(%r{</([a-zA-Z][^\s/>]*)})
      name = @scanner[1].downcase
      @scanner.scan_until(/>/) || @scanner.terminate
      close(name)
    elsif @scanner.scan(/<([a-zA-Z][^\s\/>]*)/)
      open_element(@scanner[1].downcase)
    else
      add_text(@scanner.getch)
    end
  end

  def add_text(text)
    children = @open.last.children
    children.last.is_a?(String) ? children.last << text : children << +text
  end

  def open_element(name)
    element = Element.new(name, read_attributes, [])
    close_implied(name)
    @open.last.children << element
    if RAW.include?(name)
      read_raw(element)
    elsif !VOID.include?(name) && @open.length < MAX_DEPTH
      @open << element
      @open_count[name] += 1
    end
  end

  def read_attributes
    attributes = {}
    while @scanner.scan(ATTRIBUTE)
      key = @scanner[1].downcase
      next if attributes.key?(key) || attributes.length >= MAX_ATTRIBUTES

      attributes[key] = decode_references(@scanner[2] || @scanner[3] || @scanner[4] || '')
    end
    @scanner.scan_until(/>/) || @scanner.terminate
    attributes
  end

  def read_raw(element)
    ending = "</#{element.name}"
    text = @scanner.scan_until(/#{ending}(?=[\s\/>])/i)
    text = text ? text[0...-ending.length] : @scanner.rest.tap { @scanner.terminate }
    @scanner.scan_until(/>/) || @scanner.terminate
    element.children << +(DECODED_RAW.include?(element.name) ? decode_references(text) : text)
  end

  def close_implied(name)
    CLOSED_BY.fetch(name, []).each { |other| close_within(other, SCOPES.fetch(name)) }
    close_within('p', %w[table td th button]) if BLOCKS.include?(name)
    close_within('a', %w[table td th]) if name == 'a'
  end

  def close_within(name, scopes)
    return if @open_count[name].zero?

    @open.reverse_each do |element|
      return pop_to(element) if element.name == name
      return if scopes.include?(element.name)
    end
  end

  def close(name)
    return @open.last.children << Element.new('br', {}, []) if name == 'br'

    scopes = SCOPES.fetch(name, %w[td th table].include?(name) ? %w[table] - [name] : [])
    close_within(name, scopes)
  end

  def pop_to(element)
    loop do
      closed = @open.pop
      @open_count[closed.name] -= 1
      break if closed.equal?(element)
    end
  end
end
