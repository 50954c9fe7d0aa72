"""Runs the part of PowerShell that a provisioning plan uses.

The syntax is that of tree-sitter-powershell; this file only walks its tree. What is outside the part raises, so that a
plan cannot use what nothing checks. Quoting follows about_Quoting_Rules: the four typographic single quotes count.
"""

import fnmatch

import tree_sitter
import tree_sitter_powershell

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
# Nodes with one child that only carry the grammar's precedence.
WRAPPERS = {
    "statement_list", "pipeline", "pipeline_chain", "logical_expression", "bitwise_expression", "comparison_expression",
    "additive_expression", "multiplicative_expression", "format_expression", "range_expression",
    "array_literal_expression", "unary_expression", "literal", "integer_literal", "script_block", "script_block_body",
    "left_assignment_expression", "member_name",
}


class Unsupported(Exception):
    """The script uses something that this runner does not know."""


class Thrown(Exception):
    """The script, or a cmdlet in it, failed."""


class Switch:
    """The value of a parameter that was named without one."""

    def __bool__(self):
        return True


def parse(script):
    """The tree of a script that the grammar accepts, and in which every string ends where the quoting rules say."""
    tree = PARSER.parse(script.removeprefix("\ufeff").encode())
    if tree.root_node.has_error:
        raise Unsupported(f"the grammar refuses: {first_error(tree.root_node)!r}")
    return tree.root_node


def first_error(node):
    if node.is_error or node.is_missing:
        return node.text.decode()
    return next((first_error(child) for child in node.children if child.has_error), node.text.decode())


def verbatim(text):
    """What a single-quoted string says."""
    inner, out, at = text[1:-1], [], 0
    while at < len(inner):
        out.append(inner[at])
        if inner[at] in SINGLE_QUOTES:
            at += 1
            if at == len(inner) or inner[at] not in SINGLE_QUOTES:
                raise Unsupported(f"a quote ends this string early: {text!r}")
        at += 1
    return "".join(out)


def truth(value):
    if isinstance(value, list):
        return len(value) > 1 or (len(value) == 1 and truth(value[0]))
    return bool(value)


def text_of(value):
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(text_of(one) for one in value)
    return str(value)


def same(left, right):
    if isinstance(left, str) or isinstance(right, str):
        return text_of(left).lower() == text_of(right).lower()
    return left == right


def unrolled(values):
    """What a pipeline gives: nothing, one thing, or a list."""
    return None if not values else values[0] if len(values) == 1 else values


def as_list(value):
    return [] if value is None else list(value) if isinstance(value, list) else [value]


def member(value, name):
    if isinstance(value, list):
        return unrolled([member(one, name) for one in value])
    if value is None:
        return None
    return next((held for key, held in value.items() if key.lower() == name.lower()), None)


OPERATORS = {
    "-eq": same,
    "-ne": lambda left, right: not same(left, right),
    "-gt": lambda left, right: (left or 0) > right,
    "-like": lambda left, right: fnmatch.fnmatchcase(text_of(left).lower(), right.lower()),
    "-contains": lambda left, right: any(same(one, right) for one in as_list(left)),
    "-join": lambda left, right: right.join(text_of(one) for one in as_list(left)),
    "-split": lambda left, right: [part for one in as_list(left) for part in text_of(one).split(right)],
}


class Interpreter:
    """Runs scripts against cmdlets: a function `call(name, parameters, piped) -> list`."""

    def __init__(self, call):
        self.call = call
        self.output = []
        self.warnings = []
        self.variables = {}

    def run(self, script):
        """Runs one script and returns what it wrote."""
        self.output, self.warnings, self.variables = [], [], {}
        self.block(parse(script))
        return self.output

    def block(self, node):
        for child in node.named_children:
            if child.type == "statement_list":
                self.block(child)
            elif child.type not in ("comment",):
                self.output.extend(as_list(self.statement(child)))

    def statement(self, node):
        kind = node.type
        if kind == "if_statement":
            return self.if_statement(node)
        if kind == "foreach_statement":
            return self.foreach(node)
        if kind == "flow_control_statement" and node.children[0].type == "throw":
            raise Thrown(text_of(self.value(node.named_children[0])))
        if kind == "empty_statement":
            return None
        if kind == "pipeline":
            return self.value(node)
        raise Unsupported(f"statement {kind}: {node.text.decode()!r}")

    def if_statement(self, node):
        condition, *blocks = [one for one in node.named_children if one.type != "comment"]
        if truth(self.value(condition)):
            self.block(blocks[0])
            return
        for other in blocks[1:]:
            if other.type != "else_clause":
                raise Unsupported(f"{other.type}: {other.text.decode()!r}")
            self.block(other.named_children[0])

    def foreach(self, node):
        variable, values, block = node.named_children
        for one in as_list(self.value(values)):
            self.variables[variable.text.decode().lower()] = one
            self.block(block)

    def value(self, node):
        kind, children = node.type, [one for one in node.named_children if one.type != "comment"]
        handler = getattr(self, f"value_{kind}", None)
        if kind == "pipeline_chain" and (len(children) > 1 or children[0].type == "command"):
            return self.pipeline(children)
        if kind in ("logical_expression", "comparison_expression", "additive_expression") and len(node.children) == 3:
            return self.binary(node.children[0], node.children[1].text.decode().lower(), node.children[2])
        if handler:
            return handler(node)
        if kind in WRAPPERS and len(children) == 1:
            return self.value(children[0])
        raise Unsupported(f"{kind}: {node.text.decode()!r}")

    def binary(self, left, operator, right):
        if operator == "-and":
            return truth(self.value(left)) and truth(self.value(right))
        if operator == "-or":
            return truth(self.value(left)) or truth(self.value(right))
        if operator == "+":
            first = self.value(left)
            return [*first, self.value(right)] if isinstance(first, list) else first + self.value(right)
        if operator not in OPERATORS:
            raise Unsupported(f"operator {operator}")
        return OPERATORS[operator](self.value(left), self.value(right))

    def value_assignment_expression(self, node):
        left, operator, right = node.named_children
        if operator.text != b"=":
            raise Unsupported(operator.text.decode())
        self.variables[left.text.decode().lower()] = self.value(right)

    def value_variable(self, node):
        name = node.text.decode().lower()
        constants = {"$true": True, "$false": False, "$null": None}
        if name in constants:
            return constants[name]
        if name not in self.variables:
            raise Unsupported(f"{name} was never set")
        return self.variables[name]

    def value_string_literal(self, node):
        text = node.text.decode()
        if not text.startswith("'"):
            raise Unsupported(f"a string that expands: {text!r}")
        return verbatim(text)

    def value_decimal_integer_literal(self, node):
        return int(node.text)

    def value_generic_token(self, node):
        text = node.text.decode()
        if not all(one.isalnum() or one in ".-_" for one in text):
            raise Unsupported(f"a bare word: {text!r}")
        return text

    def value_parenthesized_expression(self, node):
        return self.value(node.named_children[0])

    def value_array_expression(self, node):
        return as_list(self.value(node.named_children[0]))

    def value_member_access(self, node):
        return member(self.value(node.named_children[0]), node.named_children[1].text.decode())

    def value_expression_with_unary_operator(self, node):
        first = node.children[0]
        if first.type == "cast_expression":
            return self.value(first)
        if first.text.lower() == b"-not":
            return not truth(self.value(node.children[1]))
        raise Unsupported(node.text.decode())

    def value_cast_expression(self, node):
        to, inner = node.named_children
        casts = {b"[bool]": truth, b"[string]": text_of}
        if to.text.lower() not in casts:
            raise Unsupported(to.text.decode())
        return casts[to.text.lower()](self.value(inner))

    def pipeline(self, commands):
        piped = None
        for node in commands:
            if node.type == "command":
                piped = self.command(node, piped)
            elif piped is None:
                piped = as_list(self.value(node))
            else:
                raise Unsupported(node.text.decode())
        return unrolled(piped)

    def command(self, node, piped):
        name, *rest = node.named_children
        name = name.text.decode()
        elements = [one for one in rest[0].named_children if one.type != "command_argument_sep"] if rest else []
        if name == "Where-Object":
            return [one for one in piped or [] if self.filter(elements, one)]
        if name == "Out-Null":
            return []
        parameters, bare = self.parameters(elements)
        if name == "Write-Output":
            return bare
        if name == "Write-Warning":
            self.warnings.extend(bare)
            return []
        if bare:
            raise Unsupported(f"{name} with an argument that is not named: {bare}")
        return self.call(name, parameters, piped)

    def filter(self, elements, one):
        (block,) = elements
        while block.type != "script_block":
            (block,) = block.named_children
        self.variables["$_"] = one
        (body,) = block.named_children
        (statements,) = body.named_children
        (statement,) = statements.named_children
        return truth(self.value(statement))

    def parameters(self, elements):
        parameters, bare, name = {}, [], None
        for one in elements:
            if one.type == "command_parameter":
                name = one.text.decode().removeprefix("-")
                if name in parameters:
                    raise Unsupported(f"-{name} twice")
                parameters[name] = Switch()
            elif name is not None:
                parameters[name], name = self.value(one), None
            else:
                bare.append(self.value(one))
        return parameters, bare
