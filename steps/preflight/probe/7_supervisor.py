# The supervisor: it has imported Django and none of the project, and has a worker made
# for each evaluation of the settings, by fork, which costs nothing, or as another
# process where there is no fork.

import subprocess

current = None  # the worker with the settings as they are now
loaded = None   # the one in which Django is set up; it runs the checks, and makes and removes accounts
workers = []    # all that have not ended
whole = {"takes": True}  # the facts of the last whole look


class Worker:
    def __init__(self, overlay):
        (self.fork if hasattr(os, "fork") else self.spawn)(overlay)
        workers.append(self)

    def fork(self, overlay):
        global CHANNEL
        asking, self.questions = os.pipe()
        answers, answering = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                for fd in [self.questions, answers] + [fd for w in workers for fd in (w.questions, w.answers.fileno())]:
                    os.close(fd)
                CHANNEL.close()
                CHANNEL = Channel(asking, answering, CHANNEL.token)
                work(overlay)
            finally:
                os._exit(1)
        os.close(asking)
        os.close(answering)
        self.answers = os.fdopen(answers, "rb")

    def spawn(self, overlay):
        self.child = subprocess.Popen([sys.executable, "-c", ASKED["boot"], str(len(PROGRAM))], bufsize=0,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.questions, self.answers = os.dup(self.child.stdin.fileno()), os.fdopen(os.dup(self.child.stdout.fileno()), "rb")
        self.child.stdin.close()
        self.child.stdout.close()
        try:
            send(self.questions, PROGRAM + json.dumps(dict(ASKED, overlay=overlay)).encode("ascii") + b"\n")
        except OSError:
            pass  # that it has ended is seen below

    def answer(self):
        """The next answer. When the project's code has ended the worker, this process
        ends the same way."""
        line = self.answers.readline()
        if not line.endswith(b"\n"):
            os._exit(max(self.end(), 0) or 1)
        return json.loads(line.partition(b" ")[2])

    def put(self, question):
        try:
            send(self.questions, json.dumps(question).encode("ascii") + b"\n")
        except OSError:
            pass  # the missing answer says so

    def ask(self, question):
        self.put(question)
        return self.answer()

    def end(self):
        """Lets the worker end, and returns its exit code, negative for a signal."""
        workers.remove(self)
        os.close(self.questions)
        self.answers.close()
        if not hasattr(self, "pid"):
            return self.child.wait()
        status = os.waitpid(self.pid, 0)[1]
        return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)


def begin():
    """The first look. When it is the key that is refused, a second one with a throwaway
    key tells the rest."""
    global current, loaded
    planned = dict(ASKED["planned"], handed=ASKED["handed"])
    planned["env"] = dict(planned["env"] or {}, **(ASKED["lent"] or {}))
    worker = Worker(planned)
    first = told = worker.answer()
    if "error" in first:
        worker.end()
        if first["error"]["kind"] in ("syntax", "module", "encoding"):
            return first
        worker, told, way = try_key(planned, first)
        if "error" in told:
            # Both the key and something else are wrong. The other thing comes to
            # light only now, and must be put right whatever the key is.
            return told if first["about_key"] and told["sum"] != first["sum"] else first
    use_names(told["variables"])
    current = loaded = worker
    worker.put({"ask": "tell"})
    enforced = (True, False) if first is not told and (first["state"] == "key-missing" or KEY in first["missing"]) else insists(planned)
    rest = worker.answer()
    if "error" in rest:
        return rest
    whole.update(told, **rest)
    if first is not told:
        whole.update({name: first[name] for name in ("state", "key", "reader", "reader_files", "looked")}, state_error=first["error"]["text"])
        if told["variables"]["key"] != first["variables"]["key"]:
            whole.update(state="key-missing", key=dict(first["key"], set=False, length=0, source="", sum=""))
    if first is not told:
        whole.update(value_file=way.get("file", ""))
    elif told["key"]["source"] in ("settings", "code", ""):
        whole.update(takes=takes(planned))
    whole.update(candidate=first is not told, enforced=enforced[0], fallback=enforced[1])
    return whole


def try_key(overlay, first):
    """The settings with a throwaway key, by whatever name or file they seem to get it.
    The last worker tried, and its answer: of several that fail the first one's counts."""
    configured = "key" in (ASKED.get("configured") or ())
    tries = [dict(key=name) for name in first["missing"] if not configured and name != SECRET]
    if first["value_file"]:
        tries.append(dict(file=first["value_file"]))
    if dict(key=KEY) not in tries:
        tries.append(dict(key=KEY))
    before, failed = {"key": KEY, "secret_key": SECRET}, None
    for way in tries:
        if failed:
            failed[0].end()
        use_names(dict(before, key=way.get("key", KEY)))
        made = secrets.token_urlsafe(64)
        if "file" in way:
            laid = {way["file"]: base64.b64encode(made.encode("ascii")).decode("ascii")}
            at = dict(overlay, candidate=made, files=dict(overlay.get("files") or {}, **laid))
        else:
            at = dict(overlay, candidate=made, pin={way["key"]: made})
        worker = Worker(at)
        told = worker.answer()
        if "error" not in told and (told["proved"] or way.get("key") == before["key"]):
            return worker, told, way
        # A variable that is taken for the path of a file says nothing with a key in it.
        other = "error" in told and told["error"]["kind"] != "path"
        failed = worker, (told if other else first) if failed is None else failed[1], way
    use_names(before)
    return failed


def takes(overlay):
    """Whether the settings sign with what the variable of the key holds, once it does."""
    made = secrets.token_urlsafe(64)
    worker = Worker(dict(overlay, candidate=made, pin={KEY: made}))
    told = worker.answer()
    worker.end()
    return bool(told.get("proved"))


def insists(overlay):
    """Whether the settings refuse to load when nothing sets the key, and, when they do
    load, whether tokens are then signed with SECRET_KEY."""
    worker = Worker(dict(overlay, pin={KEY: None}))
    told = worker.answer()
    worker.end()
    if "error" not in told:
        return False, told["signing_equals_secret_key"]
    return told["exit"] or told["about_key"] or told["error"]["kind"] == "configured", False


def recheck(question):
    """The settings as the files are now, with no throwaway key. The apps are not loaded
    again: what they have set stays in the worker that has them."""
    global current
    worker = Worker({"handed": question["handed"], "env": question["env"]})
    told = worker.answer()
    if current is not loaded:
        current.end()
    current = worker
    if "error" in told:
        return refused(told)
    told.update(loaded.ask(dict(worker.ask({"ask": "values"}), ask="take")))
    if "error" in told:
        return refused(told)
    whole.update(told, candidate=False)
    return whole


def refused(told):
    """The facts when settings do not load: what is not known now is as it was."""
    error = told.pop("error")
    return dict(whole, **dict(told, candidate=False, checks=[], state=told["state"] if told.get("refused") else "error", state_error=error["text"]))


def attempt(question):
    """The settings under an overlay, evaluated and given up again."""
    overlay = question["overlay"]
    if overlay.get("same"):
        overlay = dict(overlay, pin={KEY: current.ask({"ask": "secret"})["secret"]})
    worker = Worker(overlay)
    told = worker.answer()
    worker.end()
    return refused(told) if "error" in told else dict(whole, **dict(told, candidate=False, checks=[]))


def supervise():
    global started
    signal.signal(signal.SIGTERM, end)
    if hasattr(os, "fork"):
        try:
            start()
            started = True
        except Exception:
            pass  # the worker tries again, and says what it is
    looks = {"recheck": recheck, "try": attempt}
    try:
        CHANNEL.answer(begin())
        for question in iter(CHANNEL.question, None):
            what = question["ask"]
            CHANNEL.answer(looks[what](question) if what in looks else (current if what == "sign" else loaded).ask(question))
    except Ended:
        pass
    finally:
        for worker in list(workers):
            worker.end()
        os._exit(0)


if "overlay" in ASKED:
    work(ASKED["overlay"])
supervise()
