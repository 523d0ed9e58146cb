# This program reads the source of a project's settings and answers with places in it, by
# line and by column in bytes of UTF-8, as Python's own parser has them. keysplit joins its
# parts and hands them to the project's interpreter on standard input, with one question
# as its argument. None of the project's code runs, and nothing is written. It runs on
# Python 3.8 and later.

import ast
import glob
import importlib.metadata
import importlib.util
import io
import json
import os
import re
import sys
import tokenize

ASKED = json.loads(sys.argv[1])
MOST = 60  # modules that are followed
SIGNS = re.compile(r"(?=.*(?:JWT|SIGN|TOKEN|AUTH))(?=.*(?:KEY|SECRET|JWT))|^JWT", re.I)


class Unsure(Exception):
    """There is no edit that is sure; the text is for a person, the place is where to paste."""

    def __init__(self, why, module=None, line=0):
        super().__init__(why)
        self.module, self.line = module, line


class Module:
    """One source file: its tree, the file that imports it, and where it does."""

    def __init__(self, path, importer=None, line=0, shared=False):
        self.path, self.importer, self.line, self.shared = path, importer, line, shared
        with open(path, "rb") as f:
            self.data = f.read()
        encoding = tokenize.detect_encoding(io.BytesIO(self.data).readline)[0]
        self.tree = ast.parse(self.data, path)
        self.plain = encoding in ("utf-8", "utf-8-sig") and not re.search(rb"\r(?!\n)|\x0c", self.data)
        text = self.data.decode(encoding)
        self.text = text[1:] if text.startswith("\ufeff") else text
        self.rows = self.text.split("\n")
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                child.up = node

    def words(self, node):
        return ast.get_source_segment(self.text, node)


modules = []  # in the order in which Python ends them
seen = set()


def find(dots, name, module):
    """The project's file of an imported module, "" for what is none of the project's."""
    parts = name.split(".") if name else []
    if dots:
        folder = os.path.dirname(module.path)
        for _ in range(dots - 1):
            folder = os.path.dirname(folder)
        roots = [folder]
    else:
        roots = ASKED["roots"]
    for root in roots:
        base = os.path.join(root, *parts)
        for path in (base + ".py", os.path.join(base, "__init__.py")):
            if os.path.isfile(path) and (parts or path.endswith("__init__.py")):
                return os.path.realpath(path)
    return ""


def follow(path, importer=None, line=0, shared=False):
    """Reads a module and, first, the project's modules that it imports."""
    if not path or path in seen or len(seen) >= MOST or "site-packages" in path:
        return
    seen.add(path)
    try:
        module = Module(path, importer, line, shared)
    except (OSError, SyntaxError, UnicodeDecodeError, ValueError):
        return
    for node in statements(module.tree.body):
        if isinstance(node, ast.ImportFrom):
            follow(find(node.level, node.module, module), module, node.lineno)
            for alias in node.names:
                name = ".".join(part for part in (node.module, alias.name) if part)
                follow(find(node.level, name, module), module, node.lineno)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                follow(find(0, alias.name, module), module, node.lineno)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and last_name(node.value.func) == "include":
            for text in ast.walk(node.value):
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    for found in sorted(glob.glob(os.path.join(os.path.dirname(path), text.value))):
                        follow(os.path.realpath(found), module, node.lineno, True)
    modules.append(module)


def statements(body):
    """The statements of a module, those in branches among them, in their order."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.With)):
                yield from statements(getattr(node, part, []))
        for handler in getattr(node, "handlers", []):
            yield from statements(handler.body)


def last_name(node):
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def root_name(node):
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def targets(node):
    """What a statement assigns to."""
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, (ast.AnnAssign, ast.AugAssign)) and node.value else []


def assigns(node, name):
    return any(isinstance(t, ast.Name) and t.id == name for t in targets(node))


def bound(module, name, before=1 << 30):
    """The line from which on a module has a name, 0 for never: of its own, or of a module
    of the project that it imports everything from."""
    for node in statements(module.tree.body):
        if node.lineno >= before:
            break
        end = node.end_lineno
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if (alias.asname or alias.name.partition(".")[0]) == name:
                    return end
                if alias.name == "*" and isinstance(node, ast.ImportFrom) and not name.startswith("_"):
                    path = find(node.level, node.module, module)
                    if any(m.path == path and m is not module and bound(m, name) for m in modules):
                        return end
        elif assigns(node, name) or getattr(node, "name", None) == name and isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            return end
    if module.shared and module.importer and any(m.importer is module.importer and m is not module and bound_alone(m, name) for m in modules[:index(module)]):
        return 1
    return 0


def bound_alone(module, name):
    return any(assigns(node, name) for node in statements(module.tree.body))


def index(module):
    return modules.index(module) if module in modules else len(modules)
