# Text that keysplit did not write: what exceptions and checks say and what the
# project prints. It leaves this process through message, said and redact only.
#
# Two rules. Of a message only words stay that stand in the source of the code
# that raised it, or in the list of words of Python and Django: a secret that
# nobody knew is hidden too. And no 8 characters of a known secret stay, but those
# of a name.

import binascii
import importlib.util
import traceback
import urllib.parse

SENSITIVE = re.compile(r"API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|DSN|URL", re.I)
CREDENTIALS = re.compile(r"\b[a-z][a-z0-9+.-]*://([^\s/:@]*):(\S+)@", re.I)
HOST = re.compile(r"://(?:\S*@)?([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::(\d+))?(?=[/?#\"'\s,]|$)", re.I)
TOKEN = re.compile(r"\w+")
MARKS = r"""[][(){}<>'"`‘’“”,;:.!?=]"""
SHORTENED = re.compile(r"(?<=\w)(?:n't|'(?:s|re|ve|ll|d))\b")
ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
ADVERT = re.compile(r"\s*For further information visit https://errors\.pydantic\.dev/\S+")
SEPARATORS = re.compile(r"[\s,;|]+")
NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{1,12}|[a-z]+(?:_[a-z]+)+")
MODULE = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*\.[A-Za-z][A-Za-z_]*")
CLASS = re.compile(r"[a-z_]+(?:\.[a-z_]+)+\.[A-Z][A-Za-z]*[a-z]")
DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")

WINDOW = 8    # characters of a secret in a row that count as shown
MOST = 1 << 19  # pieces that are kept
MARKED = 1 << 15  # hashes of pieces that keysplit is told, about
SHORTEST = 4  # the shortest secret that is hidden, as a word of its own
MASK = "****"
COMMENT, VALUE = 1, 2  # what a piece was cut from; a comment's ordinary words are no secret

pieces = {}     # every WINDOW characters of every form of every secret, in lower case: VALUE or COMMENT
short = set()   # the secrets that are shorter, in lower case
names = set()   # names of variables, files and hosts, in lower case: they are no secret
learned = set()
uncut = []      # what was learned and is not in pieces yet: most runs have nothing to redact


def lower(text):
    """ASCII in lower case; the length stays. A reader that refuses a truth value
    quotes it in lower case."""
    return text.lower() if text.isascii() else "".join(c.lower() if c < "\x80" else c for c in text)


def cut(text, kind):
    text = lower(text)
    for i in range(len(text) - WINDOW + 1):
        piece = text[i:i + WINDOW]
        if pieces.get(piece, 0) < kind and len(pieces) < MOST:
            pieces[piece] = kind


def forms(value):
    """The value as libraries quote it: escaped, unquoted, decoded, encoded."""
    raw = value.encode("utf-8", "surrogatepass")
    yield from (value, repr(value)[1:-1], json.dumps(value)[1:-1], repr(raw)[2:-1], raw.hex())
    yield from (urllib.parse.unquote(value), urllib.parse.unquote_plus(value), urllib.parse.quote(value, safe=""))
    for shift in range(3):  # base64 has three faces, by what stands before
        coded = base64.b64encode(raw[shift:]).decode("ascii").rstrip("=")
        yield from (coded, coded.translate({43: 45, 47: 95}))
    for decode in (lambda: raw.decode("unicode_escape").encode("latin-1"), lambda: bytes.fromhex(value),
                   lambda: base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True),
                   lambda: base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)):
        try:
            decoded = decode()
        except (ValueError, binascii.Error):
            continue
        yield from (decoded.decode("utf-8", "replace"), repr(decoded)[2:-1])


def learn(value, whole=True, kind=VALUE):
    """Makes a value a secret. whole says that it, and each part of it, is one also
    when it is shorter than WINDOW."""
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value).decode("utf-8", "replace")
    elif isinstance(value, dict):
        value = list(value.values())
    elif hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    elif isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        for part in list(value)[:1000]:
            learn(part, whole, kind)
    if not isinstance(value, str) or not value or (value, whole, kind) in learned:
        return
    learned.add((value, whole, kind))
    if os.path.isabs(value) and os.path.exists(value):
        names.update(TOKEN.findall(lower(value)))
        return
    value = value[:1 << 16]
    for host, port in HOST.findall(value):
        names.update(TOKEN.findall(lower(host)), [port] if port else [])
    uncut.append((value, kind))
    parts = [value, value.strip("\"'")] + SEPARATORS.split(value) if whole else []
    for _, password in CREDENTIALS.findall(value):
        parts.extend(forms(password))
    for part in parts:
        for bare in (part, part.strip("\"'[]{}")):
            if SHORTEST <= len(bare) < WINDOW and lower(bare) not in WORDS:
                short.add(lower(bare))
    if value[:1] in "[{":
        try:
            learn(json.loads(value), whole, kind)
        except ValueError:
            pass


def learn_named(name, value, depth=0):
    """Learns what is secret by its name in a variable, a setting or a dictionary."""
    if depth > 6:
        return
    if isinstance(value, str) and DOTTED.fullmatch(value) and (value.partition(".")[0] in sys.modules or names_class(value)):
        names.update(TOKEN.findall(lower(value)))
    elif isinstance(name, str) and SENSITIVE.search(name):
        if isinstance(value, (list, tuple, dict)) and depth < 6:
            for inner in list(value.values() if isinstance(value, dict) else value)[:1000]:
                learn_named(name, inner, depth + 1)
        else:
            learn(value)
    elif isinstance(value, str) and CREDENTIALS.search(value):
        learn(value)
    elif isinstance(value, dict):
        for key, inner in list(value.items()):
            learn_named(key, inner, depth + 1)
    elif isinstance(value, (list, tuple)):
        for inner in list(value)[:1000]:
            if isinstance(inner, (dict, list, tuple, str)):
                learn_named("", inner, depth + 1)


def names_class(value):
    """Whether a value is the path of a class, of a package that was not imported yet."""
    try:
        return bool(CLASS.fullmatch(value)) and importlib.util.find_spec(value.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def learn_file(path):
    """Learns every value and every comment of a file of settings, however its
    reader reads it."""
    try:
        with open(path, "rb") as f:
            text = f.read(1 << 22)
    except OSError:
        return
    kind = "utf-16" if text[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    for line in text.decode(kind, "replace").splitlines():
        line = line.strip().lstrip("\ufeff")
        comment = line.startswith("#")
        body = line.lstrip("# ").strip()
        name, sign, value = body.partition("=")
        name = re.sub(r"^export\s+", "", name).strip()
        known = sign and NAME.fullmatch(name)
        if comment or not known:
            learn(body, whole=False, kind=COMMENT if comment else VALUE)
        if not known:
            continue
        names.add(lower(name))
        whole = bool(SENSITIVE.search(name))
        if not whole and MODULE.fullmatch(value.strip()):
            names.update(TOKEN.findall(lower(value)))
            continue
        value, inline = value.strip(), re.split(r"\s#+\s*", value.strip(), maxsplit=1)
        for part, kind in ((inline[0].strip(), VALUE), (value, COMMENT if inline[1:] else VALUE)):
            learn(part, whole, kind)
            learn(part.strip("\"'"), whole, kind)
        for text in inline[1:]:
            learn(text, False, COMMENT)


def learn_module(variables):
    """Learns the secrets among the variables of a module of the project. Django's own
    settings that only sound like one hold names of modules and paths."""
    harmless = set(dir(sys.modules.get("django.conf.global_settings"))) - {
        "SECRET_KEY", "SECRET_KEY_FALLBACKS", "EMAIL_HOST_PASSWORD", "DATABASES", "CACHES"}
    names.update(lower(name) for name in list(variables) if name.isupper())
    for name, value in list(variables.items()):
        if any(kind.__name__ == "LazyObject" for kind in type(value).__mro__):
            continue  # a look at django.conf.settings evaluates them
        if not name.startswith("__") and name not in harmless and not callable(value) and not isinstance(value, type(sys)):
            learn_named(name, value)
        if isinstance(value, (str, list, tuple)):
            listed = [value] if isinstance(value, str) else [v for v in value if isinstance(v, str)]
            for text in listed:
                if name in harmless and (MODULE.fullmatch(text) or re.fullmatch(r"[a-z_]+", text)):
                    names.update(TOKEN.findall(lower(text)))
        for database in value.values() if name == "DATABASES" and isinstance(value, dict) else ():
            if isinstance(database, dict):
                names.update(TOKEN.findall(lower("%s %s" % (database.get("HOST", ""), database.get("PORT", "")))))


def all_names():
    """The names that are no secret, even inside one."""
    found = set(names)
    for module in list(sys.modules):
        found.update(TOKEN.findall(lower(module)))
    found.update(lower(n) for n in os.environ)
    found.update(lower(n) for n in dir(sys.modules.get("django.conf.global_settings")))
    for text in (ASKED["root"], ASKED["manage"], ASKED["env_file"], os.environ.get("DJANGO_SETTINGS_MODULE"), KEY, SECRET):
        found.update(TOKEN.findall(lower(text or "")))
    return found


def redact(text, known=None):
    """The text without any WINDOW characters of a secret in a row."""
    while uncut:
        value, kind = uncut.pop()
        for form in set(forms(value)):
            cut(form, kind)
    known = all_names() if known is None else known
    low = lower(text)
    hidden = bytearray(len(text))
    for i in range(len(low) - WINDOW + 1):
        kind = pieces.get(low[i:i + WINDOW])
        if kind:
            hidden[i:i + WINDOW] = bytes(max(kind, h) for h in hidden[i:i + WINDOW])
    if short:
        for found in re.finditer(r"(?<![^\W_])(?:%s)(?![^\W_])" % "|".join(map(re.escape, sorted(short, key=len, reverse=True))), low):
            hidden[found.start():found.end()] = bytes([VALUE]) * len(found.group())
    was, spans = bytes(hidden), [token.span() for token in TOKEN.finditer(low)]

    def goes_on(left, right):
        return left >= 0 and right < len(was) and all(h == VALUE for h in was[left:right + 1])

    for n, (start, end) in enumerate(spans):
        word = low[start:end]
        if not any(was[start:end]) or word not in known and word not in WORDS:
            continue
        # An ordinary word of a comment is no secret, and one of a value none as long
        # as no more of it stands beside: else it may be a part of a pass phrase.
        alone = max(was[start:end]) == COMMENT or not (
            n and goes_on(spans[n - 1][1] - 1, start) or n + 1 < len(spans) and goes_on(end - 1, spans[n + 1][0]))
        if word in known or alone:
            hidden[start:end] = bytes(end - start)
    out, at = [], 0
    for run in re.finditer(b"[\1\2]+", bytes(hidden)):
        gone = text[run.start():run.end()]
        out.append(text[at:run.start()] + (MASK if re.search(r"[^\W_]|[^\x00-\x7f]", gone) or len(gone) >= WINDOW else gone))
        at = run.end()
    return "".join(out) + text[at:]


def marks(secrets):
    """Keyed hashes of every WINDOW bytes of secrets, so that keysplit knows them in
    what others say, and does not have them."""
    known, found = all_names(), set()
    for value, _, kind in secrets:
        if kind != VALUE or DOTTED.fullmatch(value) or all(w in known or w in WORDS for w in TOKEN.findall(lower(value))):
            continue
        for form in set(forms(value)):
            raw = lower(form).encode("utf-8", "surrogatepass")
            found.update(hashlib.sha256(CHANNEL.token + raw[i:i + WINDOW]).digest()[:8] for i in range(len(raw) - WINDOW + 1))
        if len(found) > MARKED:
            break
    return base64.b64encode(b"".join(found)).decode("ascii")


def said(text, known):
    """The text with only those words that are known, then redacted."""
    allowed = all_names()

    def fits(core):
        """Whether every word of it is known. Digits fit as a number that counts
        something, and not as a code."""
        digits = 0
        for part in TOKEN.findall(SHORTENED.sub("", core)):
            low = lower(part)
            if low in allowed:
                continue
            if part.isdigit():
                digits += len(part)
            elif low not in WORDS and low not in known:
                return False
        return (digits <= 4 or ADDRESS.fullmatch(core)) and not re.search(r"[^\w\s]{4}", core)

    out = []
    for chunk in text.split():
        head = re.match(r"(?:[bru](?=['\"]))?%s{0,3}" % MARKS, chunk).group()
        tail = re.search(r"%s{0,3}$" % MARKS, chunk[len(head):]).group()
        core = chunk[len(head):len(chunk) - len(tail)]
        if not fits(core):
            # NAME=value: the name is worth having.
            name, sign, rest = core.partition("=")
            core = name + sign + re.match(MARKS + "?", rest).group() + MASK if sign and fits(name) else MASK
        out.append(head + core + tail)
    return redact(re.sub(r"\*{4}(?:[\s'\"]*\*{4})+", MASK, " ".join(out)), allowed)


FOLDERS = {}  # the real path of each


def real(path):
    """os.path.realpath, which looks at each part of a path: a folder is looked at once.
    There are a thousand modules in some thirty folders."""
    folder, name = os.path.split(path)
    if not os.path.isabs(path) or name in ("", ".", "..") or os.path.islink(path):
        return os.path.realpath(path)
    if folder not in FOLDERS:
        FOLDERS[folder] = os.path.realpath(folder)
    return os.path.join(FOLDERS[folder], name)


def in_project(path):
    path = real(path)
    return os.path.isfile(path) and "site-packages" not in path and "dist-packages" not in path \
        and not path.startswith(STDLIB)


def chain(error):
    """The exception, those behind it and those within it, each once."""
    todo, seen = [error], []
    while todo and len(seen) < 50:
        now = todo.pop(0)
        if now is None or any(now is s for s in seen):
            continue
        seen.append(now)
        todo += [now.__cause__, now.__context__] + list(getattr(now, "exceptions", None) or ())[:10]
    return seen


def message(error):
    """What an exception says, as far as it may be shown."""
    known = set()
    for one in chain(error):
        for frame, _ in traceback.walk_tb(one.__traceback__):
            path = frame.f_code.co_filename
            known |= words_of(path)
            if in_project(path):
                learn_module(frame.f_globals)
                learn_module(frame.f_locals)
    names.update(names_in_code)
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception:
        text = ""
    inner = [e for e in getattr(error, "exceptions", None) or () if isinstance(e, BaseException)][:1]
    if inner:
        text = "%s %s: %s" % (text, type(inner[0]).__name__, str(inner[0]))
        known.add(lower(type(inner[0]).__name__))
    return said(ADVERT.sub("", str(text or "")), known)[:300]


def printed(lines):
    """What the project printed: it may hold anything, so the rule of messages counts."""
    if not lines:
        return []
    known = set()
    for name in ours:
        known |= words_of(getattr(sys.modules.get(name), "__file__", None) or "")
    names.update(names_in_code)
    return [said(line, known) for line in lines]


def check_text(text, functions):
    """What a system check says. Those of a package may quote a setting."""
    known = set()
    for function in functions:
        known |= words_of(getattr(sys.modules.get(function.__module__), "__file__", None) or "")
    names.update(names_in_code)
    return said(text, known)[:500]
