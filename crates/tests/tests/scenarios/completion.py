"""Types unfinished lines and Tab into a shell on a pseudo-terminal and reads what stands on its screen.

SHELL FOLDER: the folder holds `ww` and is the home. The lines come on standard input as JSON: [[line, [expected…], [absent…]], …].
One JSON object a line goes out: the line, the milliseconds until everything expected stood there, and the screen.
"""
import fcntl, json, os, pty, select, struct, sys, termios, time
import pyte

shell, home = sys.argv[1:3]
cases = json.load(sys.stdin)
ROWS, COLUMNS, LIMIT = 70, 160, 5.0
PROMPT = "ready%"

BEGIN = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "--private", "--interactive"],
}
SET_UP = {
    "bash": "PS1='%s '; bind 'set show-all-if-ambiguous on'; bind 'set completion-query-items 1000'; "
    "bind 'set page-completions off'; bind 'set enable-bracketed-paste off'; source <(ww completions bash)" % PROMPT,
    "zsh": "PROMPT='ready%%%% '; LISTMAX=1000; unsetopt prompt_sp list_ambiguous; autoload -Uz compinit; compinit -u -D; "
    "source <(ww completions zsh)" % (),
    "fish": "function fish_prompt; echo -n '%s '; end; set fish_autosuggestion_enabled 0; "
    "ww completions fish | source" % PROMPT,
}

child, terminal = pty.fork()
if child == 0:
    os.environ.update(HOME=home, XDG_CONFIG_HOME=home, XDG_DATA_HOME=home, TERM="xterm-256color", LC_ALL="C.UTF-8",
                      PATH=home + ":" + os.environ["PATH"], SHELL_SESSIONS_DISABLE="1")
    os.chdir(home)
    os.execvp(BEGIN[shell][0], BEGIN[shell])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
screen = pyte.Screen(COLUMNS, ROWS)
stream = pyte.ByteStream(screen)
# Questions of the shell to its terminal are answered as a terminal answers them.
screen.write_process_input = lambda text: os.write(terminal, text.encode())


def shown():
    return "\n".join(line.rstrip() for line in screen.display).rstrip()


def until(what):
    """Reads until the condition holds on the screen; whether it did."""
    end = time.monotonic() + LIMIT
    while not what():
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return False
        try:
            stream.feed(os.read(terminal, 65536))
        except OSError:
            return False
    return True


def type_(text):
    os.write(terminal, text.encode())


def prompt_alone():
    return shown() == PROMPT


until(lambda: screen.cursor.x > 0)
type_(SET_UP[shell] + "\r")
if not until(lambda: shown().endswith(PROMPT)):
    sys.exit("no prompt:\n" + shown())
for line, expected, absent in cases:
    # Ctrl-U empties the line, ctrl-L the screen.
    type_("\x15\x0c")
    if not until(prompt_alone):
        sys.exit("the screen is not empty:\n" + shown())
    type_(line)
    typed = PROMPT + " " + line
    if not until(lambda: shown() == typed.rstrip() and screen.cursor.x == len(typed)):
        sys.exit("not echoed: %r\n%s" % (line, shown()))
    began = time.monotonic()
    type_("\t")
    met = until(lambda: all(word in shown() for word in expected))
    took = (time.monotonic() - began) * 1000
    met = met and not any(word in shown() for word in absent)
    print(json.dumps({"line": line, "met": met, "ms": round(took, 2), "screen": shown()}), flush=True)
os.close(terminal)
os.waitpid(child, 0)
