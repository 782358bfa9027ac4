# frozen_string_literal: true

require 'uri'
require_relative 'table'

# A tree of elements → Markdown (CommonMark with tables) or plain text.
class Renderer
  HIDDEN = %w[head title script style template noscript iframe object embed svg math canvas audio video select input button textarea datalist dialog map noembed noframes xmp].freeze
  BLOCK = %w[
    root html body address article aside center details div fieldset figcaption figure footer form header hgroup main nav
    section search summary legend p
  ].freeze
  MARKS = { 'strong' => '**', 'b' => '**', 'em' => '*', 'i' => '*', 'cite' => '*', 'del' => '~~', 's' => '~~', 'strike' => '~~' }.freeze
  HARMLESS = /\A(?:https?|mailto|tel|ftp):/i

  attr_reader :title, :link_count

  def initialize(markdown:, base_url:, links:)
    @markdown = markdown
    @links = links
    @link_count = 0
    @block = {}.compare_by_identity
    @base = begin
      base_url && URI.parse(base_url)
    rescue URI::InvalidURIError
      nil
    end
  end

  def render(tree)
    @title = find(tree, 'title')&.then { |title| squeeze(title.children.grep(String).join).strip }
    blocks(tree).join("\n\n").each_line(chomp: true).map { |line| end_of(line) }.join("\n").gsub(/\n{3,}/, "\n\n").strip
  end

  private

  # Two spaces at the end are a line break in Markdown.
  def end_of(line)
    bare = line.rstrip
    @markdown && !bare.empty? && line == "#{bare}  " ? line : bare
  end

  def find(element, name)
    element.children.each do |child|
      next if child.is_a?(String)
      return child if child.name == name

      found = find(child, name)
      return found if found
    end
    nil
  end

  # The blocks in an element, each without line feeds around it. Runs of text and inline elements are one block.
  def blocks(element)
    result = []
    inline = []
    flush = lambda do
      text = finish_inline(inline)
      result << text unless text.empty?
      inline.clear
    end
    element.children.each do |child|
      if !child.is_a?(String) && hidden?(child)
        next
      elsif child.is_a?(String) || !block?(child)
        inline << child
      else
        flush.call
        result.concat(block(child))
      end
    end
    flush.call
    result
  end

  def block?(element)
    @block.fetch(element) { @block[element] = find_block?(element) }
  end

  def find_block?(element)
    BLOCK.include?(element.name) || element.name.match?(/\A(?:h[1-6]|ul|ol|menu|dir|dl|dt|dd|li|blockquote|pre|table|hr|tr|td|th|tbody|thead|tfoot|caption)\z/) ||
      (element.name != 'a' && element.children.any? { |child| !child.is_a?(String) && block?(child) })
  end

  def block(element)
    case element.name
    when /\Ah([1-6])\z/ then heading(element, Regexp.last_match(1).to_i)
    when 'ul', 'menu', 'dir' then list(element) { '-' }
    when 'ol' then numbered(element)
    when 'dl' then definitions(element)
    when 'blockquote' then quote(element)
    when 'pre' then code(element)
    when 'table' then Table.new(element, markdown: @markdown, cell: ->(cell) { cell_text(cell) }).blocks { |inner| blocks(inner) }
    when 'hr' then [@markdown ? '---' : '-' * 40]
    else blocks(element)
    end
  end

  def heading(element, level)
    text = finish_inline(element.children).tr("\n", ' ').strip
    return [] if text.empty?
    return ["#{'#' * level} #{text}"] if @markdown

    [level <= 2 ? "#{text}\n#{(level == 1 ? '=' : '-') * [text.length, 72].min}" : text]
  end

  def numbered(element)
    number = Integer(element['start'] || '1', 10, exception: false) || 1
    number = number.clamp(0, 999_999_999) - 1
    list(element) { "#{number += 1}." }
  end

  def list(element)
    items = element.children.reject { |child| child.is_a?(String) && child.strip.empty? }
    lines = items.filter_map do |item|
      next if !item.is_a?(String) && hidden?(item)

      # Text and lists that stand in a list without an item of their own belong to it all the same.
      parts = item.is_a?(String) ? [finish_inline([item])] : item.name == 'li' ? blocks(item) : block?(item) ? block(item) : [finish_inline([item])]
      next if parts.all?(&:empty?)

      mark = yield
      "#{mark} #{indent(join_item(parts), mark.length + 1)}"
    end
    lines.empty? ? [] : [lines.join("\n")]
  end

  # A nested list follows its line directly; further paragraphs stand apart.
  def join_item(parts)
    parts.each_cons(2).reduce(parts.first.dup) { |text, (_, part)| text << (part.match?(/\A(?:-|\d+\.) /) ? "\n" : "\n\n") << part }
  end

  def definitions(element)
    items = []
    collect_definitions(element, items)
    items.empty? ? [] : [items.join("\n")]
  end

  def collect_definitions(element, items)
    element.children.grep(Element).each do |child|
      case child.name
      when 'dt' then items << emphasised(finish_inline(child.children))
      when 'dd' then items << "  #{indent(blocks(child).join("\n\n"), 2)}"
      when 'div' then collect_definitions(child, items)
      end
    end
  end

  def emphasised(text)
    @markdown && !text.empty? ? "**#{text.delete('*')}**" : text
  end

  def quote(element)
    text = blocks(element).join("\n\n")
    text.empty? ? [] : [text.lines.map { |line| "> #{line}".sub(/ +$/, '') }.join]
  end

  def code(element)
    text = raw_text(element).delete_prefix("\n").rstrip
    return [] if text.strip.empty?
    return [text] unless @markdown

    inner = find(element, 'code') || element
    language = (inner['class'] || element['class']).to_s[/\blang(?:uage)?-([\w+#.-]{1,30})/, 1]
    fence = '`' * [3, (text.scan(/`+/).map(&:length).max || 0) + 1].max
    ["#{fence}#{language}\n#{text}\n#{fence}"]
  end

  def raw_text(node)
    return node if node.is_a?(String)
    return "\n" if node.name == 'br'

    node.children.map { |child| raw_text(child) }.join
  end

  def cell_text(cell)
    finish_inline(cell.children).gsub(/ *\n/, ' ').gsub('|') { @markdown ? '\\|' : '|' }.strip
  end

  # Inline content as one piece of text; line breaks of the source are spaces, those of <br> stay.
  def finish_inline(nodes)
    text = nodes.map { |node| inline(node) }.join
    text = squeeze(text).gsub(/ ?\u0001 ?/, "\u0001").gsub(/\u0001{2,}/, "\u0001\u0001").gsub(/\A[ \u0001]+|[ \u0001]+\z/, '')
    text = guard_start(text) if @markdown
    text.gsub("\u0001", @markdown ? "  \n" : "\n")
  end

  def inline(node)
    return escape(node) if node.is_a?(String)
    return '' if hidden?(node)

    case node.name
    when 'br' then "\u0001"
    when 'wbr' then ''
    when 'a' then link(node)
    when 'img' then image(node)
    when 'code', 'kbd', 'samp', 'tt' then inline_code(node)
    when 'q' then "“#{inside(node)}”"
    when 'sup', 'sub' then inside(node)
    else mark(node)
    end
  end

  def inside(element)
    element.children.map { |child| block_inside(child) }.join
  end

  # A block within a link or the like stands on lines of its own.
  def block_inside(child)
    return inline(child) if child.is_a?(String) || !block?(child)

    " #{inside(child)} "
  end

  def mark(element)
    sign = @markdown ? MARKS[element.name] : nil
    text = inside(element)
    return text if sign.nil? || text.strip.empty? || text.include?(sign)

    # Marks hold only next to the word.
    core = text.strip
    start = text.index(core)
    "#{text[0...start]}#{sign}#{core}#{sign}#{text[(start + core.length)..]}"
  end

  def link(element)
    text = inside(element)
    address = address_of(element['href'])
    label = squeeze(text).strip
    return text if address.nil? || label.empty?

    @link_count += 1
    return text unless @links
    return label == address ? label : "#{label} (#{address})" unless @markdown
    return "<#{address}>" if label == address || "mailto:#{label}" == address

    "[#{label.tr("\u0001", ' ').gsub('](', ']\\(')}](#{address})"
  end

  def image(element)
    text = squeeze(element['alt'].to_s).strip
    address = address_of(element['src'])
    return text.empty? ? '' : "[#{text}]" unless @markdown && @links && address

    "![#{escape(text).delete('[]')}](#{address})"
  end

  def inline_code(element)
    text = squeeze(raw_text(element)).strip
    return text if text.empty? || !@markdown

    ticks = '`' * ((text.scan(/`+/).map(&:length).max || 0) + 1)
    text.start_with?('`') || text.end_with?('`') ? "#{ticks} #{text} #{ticks}" : "#{ticks}#{text}#{ticks}"
  end

  # Only addresses that a reader may follow; parts of the same page and scripts are none.
  def address_of(text)
    text = text.to_s.gsub(/[\u0000-\u0020]+/) { |spaces| spaces.strip.empty? ? ' ' : '' }.strip
    return nil if text.empty? || text.start_with?('#')

    text = absolute(text)
    return nil if text.match?(/\A[a-z][a-z0-9+.-]*:/i) && !text.match?(HARMLESS)

    text.gsub(/[ ()<>]/) { |character| format('%%%02X', character.ord) }[0, 2000]
  end

  def absolute(text)
    @base ? URI.join(@base, text).to_s : text
  rescue URI::Error, ArgumentError
    text
  end

  def hidden?(element)
    HIDDEN.include?(element.name) || element.attributes.key?('hidden') || element['aria-hidden'] == 'true' ||
      element['style'].to_s.match?(/display\s*:\s*none|visibility\s*:\s*hidden/i)
  end

  def escape(text)
    # The mark of line breaks is ours.
    text = text.delete("\u0001")
    @markdown ? text.gsub(/[\\`*_\[\]<]/) { |character| "\\#{character}" } : text
  end

  # What would make a heading, a list or a quote of a line that is none.
  def guard_start(text)
    text.gsub(/(\A|\u0001)(#{'#'}{1,6}(?= )|[-+](?= )|>|\d{1,9}(?=[.)] )|={3,}|-{3,})/) do
      before, sign = Regexp.last_match(1), Regexp.last_match(2)
      sign.match?(/\A\d/) ? "#{before}#{sign}\\" : "#{before}\\#{sign}"
    end
  end

  def squeeze(text)
    text.gsub(/[ \t\r\n\f\u00a0]+/, ' ')
  end

  def indent(text, width)
    text.gsub("\n", "\n#{' ' * width}").gsub(/^ +$/, '')
  end
end
