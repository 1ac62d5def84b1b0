"""Holds the other end of a pseudo-terminal: SECONDS COLUMNS ROWS PROGRAM…; the steps come on standard input."""
import fcntl, os, pty, select, signal, struct, sys, termios, time

limit, columns, rows = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
program = sys.argv[4:]
steps = [line.split() for line in sys.stdin.read().splitlines()]
child, terminal = pty.fork()
if child == 0:
    os.execvp(program[0], program)

screen, seen, open_ = b"", 0, True


def size(width):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, width, 0, 0))


def read(until):
    """One read; False at the end of the output or when the time is over."""
    global screen, open_
    if not open_:
        return False
    ready, _, _ = select.select([terminal], [], [], max(0.0, until - time.monotonic()))
    if not ready:
        return False
    try:
        data = os.read(terminal, 65536)
    except OSError:
        data = b""
    open_ = bool(data)
    screen += data
    return open_


def give_up(why):
    os.kill(child, signal.SIGKILL)
    sys.stdout.buffer.write(screen)
    sys.stdout.flush()
    sys.exit(why)


size(columns)
for step in steps:
    value = bytes.fromhex(step[1]) if len(step) > 1 else b""
    if step[0] == "see":
        until = time.monotonic() + limit
        while screen.find(value, seen) < 0:
            if not read(until):
                give_up("not seen: %r" % value)
        seen = screen.find(value, seen) + len(value)
    elif step[0] == "type":
        os.write(terminal, value)
    elif step[0] == "resize":
        size(int(value))
    elif step[0] == "hangup":
        os.close(terminal)
        open_ = False
    elif step[0] == "end":
        until = time.monotonic() + limit
        while read(until):
            pass
        if open_:
            give_up("the program did not end")
until = time.monotonic() + limit
while True:
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        break
    if time.monotonic() > until:
        give_up("the program did not end")
    time.sleep(0.002)
sys.stdout.buffer.write(screen)
sys.stdout.flush()
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
