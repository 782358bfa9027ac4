# Loaded before a Ruby script with `ruby -r`, so that Ruby itself runs the script as always: waits for the call’s header on
# standard input, and writes the end mark when everything is over.
module PlugbridgeLoader
  # Loaded ahead where the script requires them, unless packages are installed, which may bring their own versions of them.
  STANDARD = %w[
    base64 benchmark bigdecimal cgi csv date delegate digest digest/md5 digest/sha1 digest/sha2 English erb fileutils find
    forwardable io/console json logger matrix net/http open3 open-uri openssl optparse ostruct pathlib pp prime psych rexml/document
    securerandom set shellwords singleton socket stringio strscan tempfile time timeout tmpdir tsort uri weakref yaml zlib
  ].freeze

  # What objects that are cleaned up at the end do is only known to Ruby’s own end.
  module Finalizers
    def define_finalizer(*arguments, &block)
      @any_finalizer = true
      super
    end
  end

  class << self
    def load_ahead(script)
      return if Dir.exist?("#{ENV['GEM_HOME']}/gems")

      source = File.binread(script)
      source.scan(/^require\s*\(?\s*['"]([\w\/-]+)['"]/n).flatten.each do |name|
        require name if STANDARD.include?(name)
      end
    rescue SystemCallError, LoadError
      # Ruby says the same when it runs the script.
    end

    # Byte by byte: what follows is the script’s input.
    def read_header
      line = +''
      line << (STDIN.sysread(1)) until line.end_with?("\n")
      nonce, size = line.split
      text = +''.b
      text << STDIN.sysread(Integer(size) - text.bytesize) while text.bytesize < Integer(size)
      [nonce, text.force_encoding(Encoding::UTF_8)]
    rescue SystemCallError, IOError
      exit!(0)
    end

    # Runs last of all that is registered to run at the end. Whatever only Ruby’s own end does is left to it: errors are
    # printed, other threads and finalizers run; then there is no mark. A child that the script forked makes none either.
    def finish(nonce, process)
      return if Process.pid != process || Thread.list.size > 1 || ObjectSpace.instance_variable_get(:@any_finalizer)
      return unless $!.nil? || $!.is_a?(SystemExit)

      status = $!.nil? ? 0 : $!.status & 255
      ObjectSpace.each_object(IO) { |io| flush(io) }
      [STDOUT, STDERR].each { |stream| stream.syswrite("\0#{nonce}:#{status}\0") }
      exit!(status)
    rescue IOError, SystemCallError
      # Closed by the script, or nobody reads any more.
    end

    def flush(io)
      io.flush unless io.closed?
    rescue IOError, SystemCallError
      # Not open for writing.
    end
  end

  load_ahead($0)
  nonce, text = read_header
  ARGV.replace(text.empty? ? [] : [text])
  process = Process.pid
  ObjectSpace.singleton_class.prepend(Finalizers)
  at_exit { finish(nonce, process) }
end
Object.send(:remove_const, :PlugbridgeLoader)
