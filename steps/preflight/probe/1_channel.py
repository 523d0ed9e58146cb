# This program answers keysplit's questions from inside the project's own Django.
# keysplit joins its parts in the order of their names and hands them to the
# project's interpreter on standard input; nothing is written into the project.
# It runs on Python 3.8 and later, with Django 3.2 and later.
#
# This part keeps three things apart: the questions (standard input), the
# answers (what standard output was at the start), and whatever the settings
# print, which goes through a pipe of our own. No value of a key leaves through
# any of them; the password of a throwaway account is the one exception.

import base64
import gc
import hashlib
import hmac
import json
import os
import pathlib
import re
import signal
import sys
import threading
import time

# What is loaded here is needed until the process ends: looking for garbage among it
# takes a tenth of the time that Django needs to start.
gc.disable()


class Channel:
    """Lines of JSON: questions in, answers out, each answer behind a token."""

    here = there = ""  # the project's folder, where this program runs in a container, and outside

    def __init__(self, asking, answers, token=b""):
        self.asking, self.answers, self.token = os.fdopen(asking, "rb"), answers, token

    def question(self):
        line = self.asking.readline()
        return moved(json.loads(line.decode("utf-8")), self.there, self.here) if line.endswith(b"\n") else None

    def answer(self, reply):
        send(self.answers, self.token + b" " + json.dumps(moved(reply, self.here, self.there)).encode("ascii") + b"\n")

    def close(self):
        self.asking.close()
        os.close(self.answers)


def moved(value, old, new):
    """The value with what is a path in one folder as one in another folder."""
    if not old:
        return value
    if isinstance(value, str) and (value + "/").startswith(old + "/"):
        return new + value[len(old):]
    if isinstance(value, dict):
        return {moved(name, old, new): moved(inner, old, new) for name, inner in value.items()}
    return [moved(inner, old, new) for inner in value] if isinstance(value, (list, tuple)) else value


def inside(root, same):
    """The project's folder in this container: the working folder, what is mounted, or one
    in these that is called as outside, and that has the same files. What differs is raised."""
    bases, names, lacks = [os.getcwd()], [name for name in re.split(r"[\\/]", root) if name], "manage.py"
    while bases[-1] != os.path.dirname(bases[-1]):
        bases.append(os.path.dirname(bases[-1]))
    try:
        with open("/proc/self/mountinfo") as f:
            bases += [line.split()[4] for line in f]
    except OSError:
        pass
    for base in bases:
        for at in range(len(names), -1, -1):
            folder = os.path.join(base, *names[at:])
            if os.path.isfile(os.path.join(folder, "manage.py")):
                differing = [name for name in sorted(same) if sum_of(os.path.join(folder, name)) != same[name]]
                if not differing:
                    return folder
                lacks = differing[0]
    raise LookupError(lacks)


def sum_of(path):
    try:
        with open(path, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()
    except OSError:
        return ""


def send(fd, data):
    while data:
        data = data[os.write(fd, data):]


def take_streams():
    """The channel to keysplit; whatever prints or reads from now on has no part in it."""
    channel = Channel(os.dup(0), os.dup(1))
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    return channel


class Output:
    """What the project prints, bounded, read by a thread so that no print blocks."""

    LIMIT = 1 << 16

    def __init__(self):
        reading, writing = os.pipe()
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.close(writing)
        self.seen = b""
        self.count = 0
        threading.Thread(target=self.drain, args=(reading,), daemon=True).start()

    def drain(self, reading):
        while True:
            data = os.read(reading, 8192)
            if not data:
                return
            self.seen = (self.seen + data)[-self.LIMIT:]

    def lines(self):
        """Everything printed so far; what is in the pipe still is waited for."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:
                pass
        self.count += 1
        mark = b"\0%d\0" % self.count
        os.write(2, mark)
        end = time.monotonic() + 1
        while mark not in self.seen and time.monotonic() < end:
            time.sleep(0.001)
        text = re.sub(rb"\0\d+\0", b"", self.seen).decode("utf-8", "replace")
        lines = dict.fromkeys(line for line in text.splitlines() if line.strip())
        return printed(list(lines)[-200:])


def seal(value):
    """The keyed hash that keysplit compares keys by."""
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
    return hmac.new(SEAL, value, hashlib.sha256).hexdigest()


CHANNEL = take_streams()
ASKED = CHANNEL.question()
CHANNEL.token = ASKED["token"].encode("ascii")
if ASKED.get("same"):
    try:
        here = inside(ASKED["root"], ASKED["same"])
    except LookupError as error:
        CHANNEL.answer({"error": {"kind": "inside", "text": "", "file": error.args[0]}})
        os._exit(0)
    CHANNEL.here, CHANNEL.there = here, ASKED["root"]
    ASKED = moved(ASKED, CHANNEL.there, here)
SEAL = base64.b64decode(ASKED["seal"])
KEY, SECRET = ASKED["variables"]["key"], ASKED["variables"]["secret_key"]  # the names in force
WORDS = frozenset(ASKED["words"].split())
