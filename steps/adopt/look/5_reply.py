# Where the lines of a grace period come, which settings are left out, and the answer.


def apps():
    """Where a line can be added to INSTALLED_APPS, for grace."""
    found = [(m, owner, n) for m in modules for owner, n in apps_of(m)]
    if not found:
        raise Unsure("INSTALLED_APPS is not found")
    module, owner, node = found[-1]
    body = owner.body if owner else module.tree.body
    if node not in body:
        raise Unsure("INSTALLED_APPS depends on a condition", module, node.lineno)
    alone(module, node)
    ways = readers(module)
    values = owner is not None and bound(module, "values")
    if values:
        ways = [{"call": "values.Value", "form": "value", "import": "", "line": 0, "setup": ""}]
    line = node.end_lineno if owner else max([node.end_lineno] + [w["line"] for w in ways[:1]])
    inherited = owner is not None and not any(isinstance(n, ast.Assign) and assigns(n, "INSTALLED_APPS") for n in owner.body)
    if inherited:
        raise Unsure("INSTALLED_APPS is inherited", module, node.lineno)
    return answer_for(module, ways=ways, secret="", var="", dict="", raises="", line=node.lineno, block=line + 1 if owner else behind(module, line),
                      base=margin(module, node.lineno), tail="apps", tuple=is_tuple(found, node), **{"class": owner is not None})


def apps_of(module):
    for node in statements(module.tree.body):
        if isinstance(node, ast.ClassDef):
            for one in statements(node.body):
                if assigns(one, "INSTALLED_APPS"):
                    yield node, one
        elif assigns(node, "INSTALLED_APPS"):
            yield None, node


def is_tuple(found, node):
    """Whether the apps are in a tuple, as far as the text says."""
    values = [n.value for _, _, n in found if isinstance(n, ast.Assign)]
    part = values[-1] if values else node.value
    while isinstance(part, ast.BinOp):
        part = part.left
    return isinstance(part, ast.Tuple)


def left_out(edited):
    """The modules beside the settings that load some of the same ones, but not the one
    that is edited: the settings of other environments."""
    folder = os.path.dirname(os.path.realpath(ASKED["settings"][0]))
    found = []
    for path in sorted(glob.glob(os.path.join(folder, "*.py"))):
        path = os.path.realpath(path)
        if path not in seen and not os.path.basename(path).startswith("__"):
            loaded = reached(path, set())
            if edited not in loaded and loaded & {m.path for m in modules}:
                found.append(path)
    return found


def reached(path, known):
    """The project's modules that a module imports everything from, and those of them."""
    try:
        module = Module(path)
    except (OSError, SyntaxError, UnicodeDecodeError, ValueError):
        return known
    for node in statements(module.tree.body):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            other = find(node.level, node.module, module)
            if other and other not in known and len(known) < MOST:
                known.add(other)
                reached(other, known)
    return known


def has_dictionary():
    try:
        return find_site() is not None
    except Unsure:
        return True


def reply():
    for path in ASKED["settings"]:
        follow(os.path.realpath(path))
    if not modules:
        return {"unsure": "the settings cannot be read"}
    reader, reading = foreign()
    try:
        if reader:
            raise Unsure("%s reads the variables, and keysplit does not know how that is written" % reader)
        if ASKED["what"] == "key" and from_store():
            raise Unsure("%s fetches SECRET_KEY from a store, where no key can be tried" % from_store())
        told = apps() if ASKED["what"] == "apps" else place()
        return dict(told, left_out=left_out(told["file"]))
    except Unsure as unsure:
        at = unsure.module or modules[-1]
        told = {"unsure": str(unsure), "file": at.path, "line": unsure.line, "unit": unit_of(at), "quote": quote_of(at),
                "ways": readers(at), "dict": DICTS[0], "var": (setting("SECRET_KEY") if reader else ASKED["key"]).upper(), "secret": "SECRET_KEY", "raises": "", "limit": 88,
                 "reader": reader, "reading": reading, "tail": "entry" if has_dictionary() else "dictionary"}
        told["tuple"] = False
        return told


print(json.dumps(reply()))
