# Compiles the Python files that it is given and runs none of them. Prints `index<TAB>line<TAB>message` for each that is wrong.
import sys

for index, path in enumerate(sys.argv[1:]):
    try:
        with open(path, 'rb') as file:
            compile(file.read(), path, 'exec', dont_inherit=True)
    except SyntaxError as error:
        print(index, error.lineno or 0, error.msg, sep='\t')
    except Exception as error:
        # Bytes that are no text, or nesting that is too deep.
        print(index, 0, ' '.join(str(error).split()), sep='\t')
