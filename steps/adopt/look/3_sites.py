# Where the settings say what signs tokens.

DICTS = ("NINJA_JWT", "SIMPLE_JWT") if ASKED["ninja"] else ("SIMPLE_JWT", "NINJA_JWT")


class Site:
    """A statement about the dictionary: value is what it gives for SIGNING_KEY, None for
    nothing; whole says that it makes the dictionary. owner is the class around it."""

    def __init__(self, module, statement, name, value, whole, owner=None):
        self.module, self.statement, self.name, self.value, self.whole, self.owner = module, statement, name, value, whole, owner


def entry(node):
    """The value of SIGNING_KEY in a dictionary, in dict(...) or in a call of update."""
    found = None
    for part in ast.walk(node):
        if isinstance(part, ast.Dict):
            for key, value in zip(part.keys, part.values):
                if isinstance(key, ast.Constant) and key.value == "SIGNING_KEY":
                    found = value
        elif isinstance(part, ast.keyword) and part.arg == "SIGNING_KEY":
            found = part.value
    return found


def sites_of(module, body, owner=None):
    for node in statements(body):
        if isinstance(node, ast.ClassDef) and owner is None:
            yield from sites_of(module, node.body, node)
        if isinstance(node, ast.FunctionDef) and node.name in DICTS and owner is not None:
            yield Site(module, node, node.name, None, False, owner)
        for target in targets(node):
            if isinstance(target, ast.Name) and target.id in DICTS:
                yield Site(module, node, target.id, entry(node.value), True, owner)
            elif isinstance(target, ast.Subscript) and last_name(target.value) in DICTS:
                key = getattr(target.slice, "value", target.slice)
                key = key.value if isinstance(key, ast.Constant) else key
                if key == "SIGNING_KEY":
                    yield Site(module, node, last_name(target.value), node.value, False, owner)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and last_name(node.value.func) in ("update", "setdefault"):
            name = root_name(node.value.func)
            if name in DICTS:
                yield Site(module, node, name, entry(node.value), False, owner)


def find_site():
    """The statement that has the last word on SIGNING_KEY, else the one that makes the
    dictionary; None for neither."""
    every = [s for m in modules for s in sites_of(m, m.tree.body)]
    named = [s for s in every if s.name == DICTS[0]] or every
    owners = {id(s.owner) for s in named if s.owner}
    if len(owners) > 1:
        raise Unsure("several classes set it", named[-1].module, named[-1].statement.lineno)
    if any(isinstance(s.statement, ast.FunctionDef) for s in named):
        raise Unsure("a function makes it", named[-1].module, named[-1].statement.lineno)
    # A dictionary that is made again forgets what an earlier one said.
    for at, site in reversed(list(enumerate(named))):
        if site.whole and site.statement in site.module.tree.body and not mentions(site.statement.value, site.name):
            named = named[at:]
            break
    saying = [s for s in named if s.value is not None]
    return (saying or [s for s in named if s.whole] or [None])[-1]


def mentions(node, name):
    return any(isinstance(n, ast.Name) and n.id == name or isinstance(n, ast.Attribute) and n.attr == name for n in ast.walk(node))


def simple_assignment(module, name):
    """The one statement of a module that gives a name its value, None for several."""
    found = [n for n in statements(module.tree.body) if assigns(n, name)]
    return found[0] if len(found) == 1 and isinstance(found[0], (ast.Assign, ast.AnnAssign)) and found[0] in module.tree.body else None


def is_secret(module, node):
    """Whether an expression is SECRET_KEY, under its own name or read again."""
    if isinstance(node, (ast.Name, ast.Attribute)) and last_name(node) == "SECRET_KEY":
        return True
    return isinstance(node, (ast.Call, ast.Subscript)) and [r.name for r in reads(module, node)] == [ASKED["secret_key"]]


ALLOWED = re.compile(r"(?:print|warn\w*|logg\w+|log)\b")


def is_old_block(node, name):
    """Whether a branch does no more than choose the key: it then goes as a whole."""
    if isinstance(node, ast.If):
        return all(is_old_block(n, name) for n in node.body + node.orelse)
    if isinstance(node, (ast.Raise, ast.Pass)):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or isinstance(node.value, ast.Call) and bool(ALLOWED.match(root_name(node.value)))
    for target in targets(node):
        if isinstance(target, ast.Name) and (not SIGNS.search(target.id) or target.id in DICTS):
            return False
        if isinstance(target, ast.Subscript) and (last_name(target.value) != name or "SIGNING_KEY" not in ast.dump(target)):
            return False
    return bool(targets(node))
