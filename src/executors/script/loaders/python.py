# Starts a Python script as `python3 script.py` would, in two steps: what needs no code of the plugin is done at once, the
# rest when the call’s header arrives on descriptor 0. Arguments: the script, the directory of installed packages.
import sys

import atexit
import builtins
import gc
import posix

# Imported ahead where the script imports them on a line of their own.
STANDARD = frozenset(
    'abc argparse array ast asyncio base64 binascii bisect calendar codecs collections collections.abc colorsys'
    ' concurrent.futures configparser contextlib copy csv dataclasses datetime decimal difflib email enum fnmatch fractions'
    ' functools glob gzip hashlib heapq hmac html html.parser http.client inspect io ipaddress itertools json logging math'
    ' mimetypes numbers operator os os.path pathlib platform pprint queue random re secrets shlex shutil socket sqlite3 ssl'
    ' statistics string struct subprocess tarfile tempfile textwrap threading time tomllib traceback types typing'
    ' unicodedata urllib.error urllib.parse urllib.request uuid warnings xml.etree.ElementTree zipfile zlib zoneinfo'.split()
)


def is_there(path):
    try:
        posix.stat(path)
        return True
    except OSError:
        return False


def find_packages():
    """Where packages of this installation are, which `site` would have added; files named *.pth are not run."""
    name = 'python%d.%d' % sys.version_info[:2]
    environment = sys.executable.rpartition('/')[0].rpartition('/')[0]
    if is_there(environment + '/pyvenv.cfg'):
        places = [environment + '/lib/' + name + '/site-packages']
    else:
        places = [sys.prefix + '/lib/' + name + '/site-packages', sys.prefix + '/lib64/' + name + '/site-packages']
        if sys.prefix == '/usr':
            # What distributions add to it.
            places[:0] = [
                '/usr/local/lib/' + name + '/dist-packages',
                '/usr/lib/python3/dist-packages',
                '/usr/local/lib/' + name + '/site-packages',
                '/usr/local/lib64/' + name + '/site-packages',
            ]
    return [place for place in places if is_there(place)]


def leave(code=None):
    """The `exit` and `quit` of `site`, which scripts use as if they were built in."""
    try:
        sys.stdin.close()
    except Exception:
        pass
    raise SystemExit(code)


def explain(*args, **kwargs):
    """The `help` of `site`."""
    import pydoc

    return pydoc.help(*args, **kwargs)


def find_imports(source):
    """The standard modules that lines at the margin import."""
    found = []
    for line in source.split(b'\n'):
        if line.startswith(b'from '):
            found.extend(line.split()[1:2])
        elif line.startswith(b'import '):
            found.extend(name.split()[0] for name in line[7:].partition(b'#')[0].split(b',') if name.strip())
    names = [name.decode('latin1') for name in found]
    return [name for name in names if name in STANDARD]


def import_ahead(source, directory):
    """A plugin that has a module with the name of a standard one gets its imports in its own order, later."""
    try:
        own = {name.partition('.')[0] for name in posix.listdir(directory)}
        if own & {name.partition('.')[0] for name in getattr(sys, 'stdlib_module_names', STANDARD)}:
            return
        for name in find_imports(source):
            __import__(name)
    except Exception:
        # The script will meet the same and may have an answer to it.
        pass


def read_byte():
    try:
        byte = posix.read(0, 1)
    except OSError:
        byte = b''
    if not byte:
        posix._exit(0)
    return byte


def read_header():
    """The nonce of the end mark, and the first argument if there is one; not a byte more is read."""
    line = b''
    while not line.endswith(b'\n'):
        line += read_byte()
    nonce, size = line.split()
    text = b''
    while len(text) < int(size):
        text += posix.read(0, int(size) - len(text)) or read_byte()
    return nonce, [text.decode()] if text else []


def show(error):
    """Prints an exception as the interpreter does, by the script’s own hook if it has one."""
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except BaseException:
        sys.__excepthook__(type(error), error, error.__traceback__)


def to_exit_code(value):
    """What `sys.exit(value)` exits with."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 255
    print(value, file=sys.stderr)
    return 1


def run(code, names):
    """Runs the script to the end of its main thread; returns the exit code."""
    try:
        if isinstance(code, BaseException):
            raise code
        exec(code, names)
        return 0
    except SystemExit as error:
        return to_exit_code(error.code)
    except BaseException as error:
        # Without the frame of this function, which the script knows nothing of.
        show(error.with_traceback(error.__traceback__.tb_next))
        return 130 if isinstance(error, KeyboardInterrupt) else 1


def flush():
    """Whether nothing that was printed got lost."""
    done = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except BaseException:
            done = False
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()
        except BaseException:
            # Detached or closed by the script.
            pass
    return done


def clear(names):
    """Lets go of a module’s objects in the interpreter’s order, so that open files are written and `__del__` runs."""
    for name in [name for name in names if type(name) is str and name[:1] == '_' and name[1:2] != '_']:
        names[name] = None
    for name in [name for name in names if name != '__builtins__']:
        names[name] = None


def tear_down(main_names, directory):
    """What the interpreter does with the modules of the plugin when it ends."""
    others = [module.__dict__ for module in reversed(list(sys.modules.values())) if type(module) is type(sys)]
    clear(main_names)
    for names in others:
        if names is not main_names and str(names.get('__file__')).startswith(directory + '/'):
            clear(names)
    gc.collect()


def write(descriptor, data):
    try:
        posix.set_blocking(descriptor, True)
        while data:
            data = data[posix.write(descriptor, data) :]
    except OSError:
        pass


def main():
    main_file, dependencies = sys.argv[1:3]
    directory = main_file.rpartition('/')[0]
    sys.path[:] = [directory] + sys.path + [place for place in [dependencies] if is_there(place)] + find_packages()
    builtins.exit = builtins.quit = leave
    builtins.help = explain

    module = type(sys)('__main__')
    module.__dict__.update(
        __file__=main_file, __builtins__=builtins, __loader__=type(__loader__)('__main__', main_file), __cached__=None, __annotations__={}
    )
    try:
        with open(main_file, 'rb') as file:
            source = file.read()
    except OSError as error:
        print("%s: can't open file %r: [Errno %d] %s" % (sys.executable, main_file, error.errno, error.strerror), file=sys.stderr)
        return 2
    try:
        code = compile(source, main_file, 'exec', dont_inherit=True)
        import_ahead(source, directory)
    except BaseException as error:
        code = error.with_traceback(None)
    # What is there by now outlives the script; the collector need not look at it again.
    gc.freeze()

    nonce, argument = read_header()
    sys.argv[:] = [main_file] + argument
    sys.modules['__main__'] = module
    process = posix.getpid()
    status = run(code, module.__dict__)
    del code

    if 'threading' in sys.modules:
        try:
            sys.modules['threading']._shutdown()
        except BaseException as error:
            show(error)
    atexit._run_exitfuncs()
    done = flush()
    # A child that the script forked ends as one; threads that still run must not meet modules without their content.
    if posix.getpid() == process and ('_thread' not in sys.modules or sys.modules['_thread']._count() == 0):
        tear_down(module.__dict__, directory)
        done = flush() and done
        mark = b'\0%s:%d\0' % (nonce, status if done else 120)
        write(1, mark)
        write(2, mark)
        posix._exit(status if done else 120)
    return status


if __name__ == '__main__':
    sys.exit(main())
