# frozen_string_literal: true

# A table → rows of text, as a Markdown table or with its columns aligned. Tables that only lay a page out become its blocks.
class Table
  MAX_COLUMNS = 40
  MAX_ALIGNED = 60

  def initialize(element, markdown:, cell:)
    @element = element
    @markdown = markdown
    @cell = cell
  end

  # Yields elements whose blocks are wanted.
  def blocks(&read)
    rows = rows_of(@element)
    cells = rows.map { |row| row.children.grep(Element).select { |child| %w[td th].include?(child.name) } }.reject(&:empty?)
    caption = @element.children.grep(Element).find { |child| child.name == 'caption' }
    before = caption ? read.call(caption) : []
    return before + cells.flatten.flat_map { |cell| read.call(cell) } if layout?(cells)

    texts = cells.map { |row| expand(row) }
    width = texts.map(&:length).max
    texts.each { |row| row.fill('', row.length...width) }
    before + [@markdown ? markdown(texts, header?(cells.first)) : aligned(texts)]
  end

  private

  def rows_of(element)
    element.children.grep(Element).flat_map do |child|
      case child.name
      when 'tr' then [child]
      when 'thead', 'tbody', 'tfoot' then rows_of(child)
      else []
      end
    end
  end

  # One column, or tables and headings in cells: no data.
  def layout?(cells)
    return true if cells.empty? || cells.map(&:length).max < 2 || @element['role'] == 'presentation'

    cells.flatten.any? { |cell| holds?(cell, %w[table h1 h2 h3 pre ul ol blockquote]) }
  end

  def holds?(element, names)
    element.children.grep(Element).any? { |child| names.include?(child.name) || holds?(child, names) }
  end

  def expand(row)
    row.flat_map do |cell|
      span = Integer(cell['colspan'] || '1', 10, exception: false) || 1
      [@cell.call(cell)] + [''] * (span.clamp(1, MAX_COLUMNS) - 1)
    end.first(MAX_COLUMNS)
  end

  def header?(row)
    row.all? { |cell| cell.name == 'th' }
  end

  def markdown(rows, header)
    head = header ? rows.first : [''] * rows.first.length
    body = header ? rows.drop(1) : rows
    [line(head), line(['---'] * head.length), *body.map { |row| line(row) }].join("\n")
  end

  def line(cells)
    "| #{cells.join(' | ')} |".squeeze(' ')
  end

  def aligned(rows)
    widths = rows.transpose.map { |column| [column.map(&:length).max, MAX_ALIGNED].min }
    rows.map { |row| row.each_with_index.map { |cell, index| cell.ljust(widths[index]) }.join('  ').rstrip }.join("\n")
  end
end
