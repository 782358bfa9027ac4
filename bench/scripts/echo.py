import json
import sys

arguments = json.load(sys.stdin)
print(json.dumps({"text": arguments["text"]}))
