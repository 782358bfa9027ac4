require 'json'

arguments = JSON.parse($stdin.read)
puts JSON.generate({ text: arguments['text'] })
