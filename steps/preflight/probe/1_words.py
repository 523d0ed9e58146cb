# Which words of the code that raised an exception may stand in its message.

import ast
import linecache

vocabularies = {}  # path of a source: its words


def words_of(path):
    """The words of a source file that may stand in a message. Those of a package are
    public. In a file of the project a literal may be a secret: there names count, and
    the literals of sentences."""
    if path not in vocabularies:
        text = "".join(linecache.getlines(path))
        if in_project(path):
            vocabularies[path] = own_words(text)
        else:
            vocabularies[path] = {lower(w) for w in re.findall(r"[A-Za-z_]\w{1,39}", text)}
    return vocabularies[path]


OPENERS = {"open", "Path", "join", "joinpath", "read_env", "load_dotenv"}


TURN = re.compile(r"[a-z](?=[A-Z])|[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")


def looks_random(word):
    """A key that was pasted without its quotes is a name to Python."""
    turns = len(TURN.findall(word))
    return len(word) >= 12 and (6 * turns >= len(word) or turns > 3 and len(word) >= 24)


def bound(tree):
    """The names that the code itself gives to something: those are no secret."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.alias):
            yield from (node.asname or node.name).split(".")
        elif isinstance(node, ast.arg):
            yield node.arg


def own_words(text):
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set()
    found, given = set(), set(bound(tree))

    def called(node):
        return getattr(node.func, "attr", getattr(node.func, "id", ""))

    def literal(value, certain):
        if not isinstance(value, str):
            return
        if NAME.fullmatch(value) and "_" in value:
            names_in_code.add(lower(value))
            found.add(lower(value))
        elif certain or len(value.split()) > 2 or DOTTED.fullmatch(value):
            found.update(lower(w) for w in re.findall(r"[A-Za-z_]\w*", CREDENTIALS.sub(" ", value)) if not looks_random(w))

    def visit(node, certain):
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.keyword)):
            targets = getattr(node, "targets", None) or [getattr(node, "target", None) or node]
            labels = [getattr(t, "id", getattr(t, "attr", getattr(t, "arg", ""))) or "" for t in targets]
            if any(SENSITIVE.search(label) for label in labels) and isinstance(node.value, (ast.Constant, ast.JoinedStr)):
                found.update(lower(label) for label in labels)
                return
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values):
                secret = isinstance(key, ast.Constant) and SENSITIVE.search(str(key.value))
                if key is not None:
                    visit(key, certain)
                if not (secret and isinstance(value, ast.Constant)):
                    visit(value, certain)
            return
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant) \
                and SENSITIVE.search(str(node.args[0].value)) and not certain and called(node) not in OPENERS:
            # config("API_KEY", default="..."): the default is a secret.
            literal(node.args[0].value, False)
            visit(node.func, False)
            for inner in node.args[1:] + [k.value for k in node.keywords]:
                if not isinstance(inner, ast.Constant):
                    visit(inner, False)
            return
        certain = certain or isinstance(node, (ast.Raise, ast.Assert, ast.JoinedStr)) \
            or isinstance(node, ast.Call) and called(node) in OPENERS \
            or isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        if isinstance(node, ast.Constant):
            literal(node.value, certain)
        for field in ("id", "attr", "arg", "name", "module"):
            label = getattr(node, field, None)
            if isinstance(label, str) and (label in given or not looks_random(label)):
                found.update(lower(w) for w in TOKEN.findall(label))
                if isinstance(node, (ast.alias, ast.ImportFrom)):
                    names_in_code.update(lower(w) for w in TOKEN.findall(label))
        for inner in ast.iter_child_nodes(node):
            visit(inner, certain)

    visit(tree, False)
    return found


names_in_code = set()  # names of variables and modules that stand in the project's sources
