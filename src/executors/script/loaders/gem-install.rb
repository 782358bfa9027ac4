# frozen_string_literal: true

# Installs gems into a directory of their own: all of them resolved together, only those that a lock allows where there
# is one, each compared with its digest before anything of it is unpacked, and none that would run code while it is
# installed unless that is allowed. Arguments: list of gems, directory, source, proxy, `scripts` or `no-scripts`.
# The list is what `ruby-plan.ts` writes.

require 'rubygems'
require 'rubygems/remote_fetcher'
require 'rubygems/request_set'
require 'rubygems/installer'
require 'rubygems/ext'
require 'digest'
require 'json'

list_file, directory, source, proxy, scripts = ARGV
list = JSON.parse(File.read(list_file, encoding: 'UTF-8'))
allowed = list.fetch('allowed')
allow_scripts = scripts == 'scripts'

# A refusal of ours; the host looks for this line.
refuse = lambda do |kind, reason|
  $stdout.flush
  warn "gem-install: #{kind}: #{reason.gsub(/\s+/, ' ')[0, 500]}"
  exit! 1
end

# RubyGems loads `rubygems_plugin.rb` of what it has just installed.
unless allow_scripts
  Gem.singleton_class.prepend(Module.new { def load_plugin_files(*) = nil })
  Gem::Ext::Builder.prepend(Module.new { def build_extension(*) = raise(Gem::InstallError, 'native extensions are not built') })
end

Gem::RemoteFetcher.prepend(Module.new do
  define_method(:download) do |spec, *rest|
    refuse.call('integrity', "Gemfile.lock does not name #{spec.full_name}: add this platform to it, with bundle lock --add-platform") if allowed && !allowed.key?(spec.full_name)
    puts "Fetching #{spec.full_name}"
    path = super(spec, *rest)
    wanted = allowed && allowed[spec.full_name]
    refuse.call('integrity', "#{spec.full_name} is not what its checksum in Gemfile.lock says") if wanted && Digest::SHA256.file(path).hexdigest != wanted
    path
  end
end)

$stdout.sync = true
begin
  Gem.configuration[:http_proxy] = proxy
  Gem.sources = [source]
  dependencies = list.fetch('gems').map { |gem| Gem::Dependency.new(gem.fetch('name'), *gem.fetch('requirements')) }
  set = Gem::RequestSet.new(*dependencies)
  set.ignore_dependencies = true if allowed
  set.prerelease = dependencies.any?(&:prerelease?)
  set.resolve
  options = { install_dir: directory, document: [], wrappers: true, prerelease: set.prerelease, post_install_message: false }
  set.install(options) do |_request, installer|
    next unless installer

    spec = installer.spec
    if !allow_scripts && spec.extensions.any?
      refuse.call('scripts', "#{spec.full_name} has native extensions, which run code when they are built: --allow-scripts allows that")
    end
    puts "Installing #{spec.full_name}"
  end
rescue Gem::UnsatisfiableDependencyError, Gem::DependencyResolutionError, Gem::InstallError, Gem::RemoteFetcher::FetchError,
       Gem::Package::Error, Gem::DependencyError, SystemCallError => e
  refuse.call('other', "#{e.class.name.split('::').last}: #{e.message}")
end
