# What is to be edited, and where.


def unit_of(module):
    """What the module is indented by."""
    for node in ast.walk(module.tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.stmt) and isinstance(body, list) and body and body[0].lineno > node.lineno:
            outer, inner = margin(module, node.lineno), margin(module, body[0].lineno)
            if inner.startswith(outer) and len(inner) > len(outer):
                return inner[len(outer):]
    found = re.search(r"(?m)^(\t+| +)[\"'\w]", module.text)
    return "\t" if found and found.group(1)[0] == "\t" else "    "


def margin(module, line):
    row = module.rows[line - 1]
    return row[:len(row) - len(row.lstrip(" \t"))]


def quote_of(module):
    """The quotes that most strings of the module have."""
    count = {"'": 0, '"': 0}
    for token in tokenize.generate_tokens(io.StringIO(module.text, newline="").readline):
        if token.type == tokenize.STRING:
            text = token.string.lstrip("rbuRBUfF")
            if not text.startswith(("'''", '"""')) and "'" not in text[1:-1] and '"' not in text[1:-1]:
                count[text[0]] += 1
    return "'" if count["'"] > count['"'] else '"'


def imports(module):
    """The line behind the imports at the head of a module, and whether what comes there is
    to be set apart from them."""
    last, line = None, 0
    body = module.tree.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
        line, body = body[0].end_lineno, body[1:]
    for node in body:
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            break
        last, line = node, node.end_lineno
    if last is None:
        if line == 0:
            while line < len(module.rows) and module.rows[line].startswith("#"):
                line += 1
        return {"after": line, "gap": line > 0, "behind": True}
    name = last.module if isinstance(last, ast.ImportFrom) else last.names[0].name
    known = getattr(sys, "stdlib_module_names", ("os", "sys", "pathlib", "datetime", "logging", "re"))
    return {"after": line, "gap": (name or ".").partition(".")[0] in known, "behind": False}


def span(module, node, role):
    """An expression, with the brackets that it alone is in: a formatter takes them away."""
    text, starts = module.text.encode("utf-8"), [0]
    for row in module.rows:
        starts.append(starts[-1] + len(row.encode("utf-8")) + 1)
    start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
    while True:
        before, behind = text[:start].rstrip(), text[end:].lstrip()
        if not (re.search(rb"[:=]\s*\(\Z", before) and behind.startswith(b")")):
            break
        start, end = len(before) - 1, len(text) - len(behind) + 1
    first, last = text.count(b"\n", 0, start), text.count(b"\n", 0, end)
    return {"line": first + 1, "column": start - starts[first], "end_line": last + 1, "end_column": end - starts[last], "role": role}


def alone(module, node):
    """Refuses a statement that shares a line with another one."""
    first = module.data.split(b"\n")[node.lineno - 1]
    if first[:node.col_offset].strip(b" \t\xef\xbb\xbf"):
        raise Unsure("two statements share a line", module, node.lineno)
    rest = module.data.split(b"\n")[node.end_lineno - 1][node.end_col_offset:].strip()
    if rest and not rest.startswith(b"#"):
        raise Unsure("two statements share a line", module, node.lineno)


def above(module, node):
    """The line before which a block comes that a statement needs: above its comments."""
    line = node.lineno
    while line > 1 and module.rows[line - 2].startswith(margin(module, node.lineno) + "#"):
        line -= 1
    return line


def limit():
    """How long a line of the project may be."""
    for folder in ASKED["folders"]:
        for name in ("pyproject.toml", "ruff.toml", ".ruff.toml"):
            try:
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    found = re.search(r"(?m)^line[-_]length\s*=\s*(\d+)", f.read())
            except (OSError, ValueError):
                continue
            if found:
                return int(found.group(1))
    return 88


def variable(module, value):
    """What the settings call the key."""
    if isinstance(value, ast.Name) and value.id != "SECRET_KEY" and SIGNS.search(value.id):
        return value.id
    return ASKED["key"].upper()


def raising(module, before):
    """What ImproperlyConfigured is called where a block comes, "" for not at all."""
    for node in statements(module.tree.body):
        if node.lineno >= before or not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            if alias.name == "ImproperlyConfigured":
                return alias.asname or alias.name
            if node.module == "django.core" and alias.name == "exceptions":
                return (alias.asname or alias.name) + ".ImproperlyConfigured"
    return ""


def refuse_lazy(module, value):
    """Refuses settings that ask Django for a setting while they are loaded, beside the
    value that goes. Django then has the first half of them, and goes on with that where
    the rest refuses to load."""
    lazy = {alias.asname or alias.name for node in statements(module.tree.body) if isinstance(node, ast.ImportFrom) and node.module == "django.conf" for alias in node.names}
    for statement in statements(module.tree.body):
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            continue
        gone = set(ast.walk(value)) if value is not None else set()
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in lazy and node not in gone:
                raise Unsure("it asks Django's settings for %s while they are loaded" % node.attr, module, node.lineno)
    return lazy


def answer_for(module, value=None, **more):
    if not module.plain:
        raise Unsure("its encoding or its line ends are unusual", module, 0)
    if more.get("tail") != "apps":
        lazy = set().union(*(refuse_lazy(other, value) for other in modules))
        if "." in more["secret"] and more["secret"].partition(".")[0] in lazy:
            raise Unsure("SECRET_KEY is not known there", module, more["line"])
    return dict({"file": module.path, "unit": unit_of(module), "quote": quote_of(module), "imports": imports(module),
                 "limit": limit(), "base": "", "spans": [], "tail": "", "class": False, "literal": False, "read": True}, **more)


def place():
    """The edit of a project: see Place in look.go."""
    site = find_site()
    if site is None:
        return no_dictionary()
    module, node, value = site.module, site.statement, site.value
    if site.owner is not None:
        return in_class(site)
    if node not in module.tree.body:
        return in_branch(site)
    alone(module, node)
    name = value.id if isinstance(value, ast.Name) and value.id != "SECRET_KEY" else ""
    if name:
        other = simple_assignment(module, name)
        if other is None:
            raise Unsure("%s is made elsewhere" % name, module, node.lineno)
        if SIGNS.search(name) and not uses(secret_statement()[1], name):
            return at_variable(site, other, name)
        if not is_secret(module, other.value):
            if not uses(secret_statement()[1], name):
                raise Unsure("it signs with %s" % name, module, node.lineno)
    kind = kind_of(module, value)
    ways = readers(module, (module, value) if kind == "read" else None)
    secret, since = secret_in(module, value if kind == "secret" else None, node)
    if not secret:
        return at_importer(site, ways)
    known = max([since] + [w["line"] for w in ways[:1]])
    var = variable(module, value)
    common = dict(ways=ways, secret=secret, var=var, dict=site.name, line=node.lineno, literal=kind == "literal")
    if value is not None and known < node.lineno and fits(module, value, var):
        return answer_for(module, value, raises=raising(module, above(module, node)), block=above(module, node), spans=[span(module, value, "variable")], **common)
    after = behind(module, max(node.end_lineno, known))
    spans = [span(module, value, "none")] if value is not None else []
    return answer_for(module, value, raises=raising(module, after), block=after, spans=spans, tail="entry", **common)


def uses(statement, name):
    return statement is not None and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(statement.value))


def kind_of(module, value):
    """What signs: "none" said, "empty", "secret" for SECRET_KEY, "literal", "read" for a
    variable."""
    if value is None:
        return "none"
    if isinstance(value, ast.Constant) and not value.value:
        return "empty"
    if is_secret(module, value) or isinstance(value, ast.Name):
        return "secret"
    if isinstance(value, (ast.Constant, ast.JoinedStr)):
        return "literal"
    found = list(reads(module, value))
    if found and all(r.name != ASKED["secret_key"] or r.node is not value for r in found):
        return "read"
    raise Unsure("what signs is computed", module, value.lineno)


def secret_in(module, value, node):
    """What SECRET_KEY is called in a module, and from which line on."""
    if isinstance(value, ast.Name):
        return module.words(value), 0
    line = bound(module, "SECRET_KEY")
    if line:
        return "SECRET_KEY", line
    if isinstance(value, ast.Attribute):
        return module.words(value), 0
    return ("", 0) if value is None else (module.words(value), 0)


def fits(module, value, var):
    if value.lineno != value.end_lineno:
        return True
    row = module.rows[value.lineno - 1].rstrip("\r")
    return len(row) > limit() or len(row) - (value.end_col_offset - value.col_offset) + len(var) <= limit()


def behind(module, line):
    """The line before which a block comes that follows a line: no statement is cut."""
    for node in module.tree.body:
        if node.lineno <= line < node.end_lineno:
            line = node.end_lineno
    return line + 1


def at_variable(site, statement, name):
    """The dictionary has a name for the key: what the name stands for is replaced."""
    module = site.module
    alone(module, statement)
    kind = kind_of(module, statement.value)
    ways = readers(module, (module, statement.value) if kind == "read" else None)
    secret, since = secret_in(module, statement.value if kind == "secret" else None, statement)
    if not secret:
        raise Unsure("SECRET_KEY is not known there", module, statement.lineno)
    if since > statement.lineno or any(w["line"] > statement.lineno for w in ways[:1]):
        raise Unsure("SECRET_KEY is set further down", module, statement.lineno)
    after = behind(module, statement.end_lineno)
    return answer_for(module, statement.value, ways=ways, secret=secret, var=name, dict=site.name, line=statement.lineno, raises=raising(module, after),
                      block=after, spans=[span(module, statement.value, "read")], read=False, literal=kind == "literal")


def in_branch(site):
    """The block that chose between two keys, as the guide's old one: all of it goes."""
    module, top = site.module, site.statement
    while top not in module.tree.body:
        top = top.up
    if not isinstance(top, ast.If) or not is_old_block(top, site.name):
        raise Unsure("it depends on a condition", module, site.statement.lineno)
    alone(module, top)
    body = module.tree.body
    before = body[body.index(top) - 1] if body.index(top) else None
    start, var, value = top, ASKED["key"].upper(), None
    for name in [n.id for n in ast.walk(top) if isinstance(n, ast.Name) and SIGNS.search(n.id) and n.id not in DICTS]:
        made = simple_assignment(module, name)
        if made is not None and made is not before:
            raise Unsure("%s is made further up" % name, module, made.lineno)
        if made is not None:
            start, var, value = made, name, made.value
            alone(module, made)
        elif any(assigns(n, name) for n in ast.walk(top) if isinstance(n, ast.stmt)):
            var = name
    ways = readers(module, (module, value) if value is not None else (module, top))
    secret, _ = secret_in(module, None, top)
    if not secret:
        raise Unsure("SECRET_KEY is not known there", module, top.lineno)
    whole = dict(span(module, start, "block"), end_line=top.end_lineno, end_column=top.end_col_offset)
    return answer_for(module, ways=ways, secret=secret, var=var, dict=site.name, line=top.lineno, raises=raising(module, start.lineno),
                      block=0, spans=[whole], tail="entry")


def at_importer(site, _):
    """The dictionary is in a module that has no SECRET_KEY: the one that imports it has."""
    module, line = site.module, 0
    while module.importer is not None:
        line, module = module.line, module.importer
        secret, since = secret_in(module, None, None)
        if secret and (module.shared or bound(module, site.name)):
            ways = readers(module)
            after = behind(module, max([since, line] + [w["line"] for w in ways[:1]]))
            if site.value is not None:
                raise Unsure("SECRET_KEY is not known there", site.module, site.statement.lineno)
            return answer_for(module, ways=ways, secret=secret, var=variable(module, None), dict=site.name, line=line,
                              raises=raising(module, after), block=after, tail="entry")
    raise Unsure("SECRET_KEY is not known there", site.module, site.statement.lineno)


def no_dictionary():
    """The settings leave all to the package: they get a dictionary of one entry."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and node.value in DICTS or isinstance(node, ast.keyword) and node.arg in DICTS:
                raise Unsure("%s is made in another way than by a statement" % getattr(node, "arg", getattr(node, "value", "")), module, getattr(node, "lineno", 0))
    module, statement = secret_statement()
    if module is None:
        raise Unsure("the settings do not set SECRET_KEY themselves")
    if statement not in module.tree.body:
        raise Unsure("SECRET_KEY depends on a condition or is in a class", module, statement.lineno)
    ways = readers(module)
    after = [n.end_lineno for n in module.tree.body if assigns(n, "REST_FRAMEWORK")]
    last = module.tree.body[-1].end_lineno
    line = behind(module, max(after[-1:] + [statement.end_lineno] + [w["line"] for w in ways[:1]])) if after else last + 1
    alone(module, [n for n in module.tree.body if n.end_lineno == line - 1][-1])
    return answer_for(module, ways=ways, secret="SECRET_KEY", var=ASKED["key"].upper(), dict=DICTS[0], line=statement.lineno,
                      raises=raising(module, line), block=line, tail="dictionary")


def in_class(site):
    """Class-based settings: their values are there only after they are set up."""
    module, owner = site.module, site.owner
    if site.statement not in owner.body:
        raise Unsure("it depends on a condition", module, site.statement.lineno)
    if not re.search(r"\bconfigurations\b", module.text) and not any("configurations" in m.text for m in modules):
        raise Unsure("a class sets it", module, site.statement.lineno)
    if any(isinstance(n, ast.FunctionDef) and n.name == "post_setup" for n in owner.body):
        raise Unsure("the class has a post_setup of its own", module, owner.lineno)
    alone(module, site.statement)
    last = owner.body[-1]
    alone(module, last)
    if site.value is not None and not (is_secret(module, site.value) or isinstance(site.value, ast.Constant)):
        raise Unsure("what signs is computed", module, site.value.lineno)
    ways = readers(module)
    if bound(module, "values"):
        ways.insert(0, {"call": "values.Value", "form": "value", "import": "", "line": 0, "setup": ""})
    spans = [span(module, site.value, "none")] if site.value is not None else []
    return answer_for(module, ways=ways, secret="cls.SECRET_KEY", var=ASKED["key"].upper(), dict=site.name, line=site.statement.lineno,
                      raises=raising(module, owner.lineno), block=last.end_lineno + 1, base=margin(module, owner.body[0].lineno),
                      spans=spans, tail="entry", **{"class": True, "literal": isinstance(site.value, ast.Constant)})
