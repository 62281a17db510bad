"""Holds what went over the wire against the classes of Stripe's official Python SDK, and writes the same for the
compiler of its TypeScript types.

Arguments: a file with one exchange a line, and where the TypeScript goes. Each answer may have only fields that the
SDK's class of that object declares, must have those that may not be null, and each value must be of the declared type,
enumerations included. Each request may have only parameters that the SDK's parameters declare.
"""

import decimal
import json
import re
import sys
import types
import typing
import urllib.parse

import stripe
import stripe.params
import stripe.params.checkout
import typing_extensions
from stripe._object_classes import OBJECT_CLASSES, get_object_class
from stripe._request_options import RequestOptions

# `X | Y` and `Union[X, Y]`
UNIONS = (typing.Union, types.UnionType)
problems = {}


def blame(where, what):
    problems.setdefault((re.sub(r"\[\d+\]", "[]", where), what), 0)
    problems[(re.sub(r"\[\d+\]", "[]", where), what)] += 1


def fields_of(cls):
    """The declared fields of a class, those of its bases first."""
    fields = {}
    for base in reversed(cls.__mro__):
        # The SDK's own machinery declares private fields there.
        if base.__module__ in ("stripe._stripe_object", "stripe._list_object") or not base.__module__.startswith("stripe"):
            continue
        for name, kind in base.__dict__.get("__annotations__", {}).items():
            if name != "OBJECT_NAME" and not name.startswith("_"):
                fields[name] = (kind, vars(sys.modules[base.__module__]) | vars(base))
    return fields


def class_of(name):
    return get_object_class("V1", name) if name in OBJECT_CLASSES else None


def parts(kind):
    """The alternatives of a type."""
    if typing.get_origin(kind) in UNIONS:
        return [part for one in typing.get_args(kind) for part in parts(one)]
    return [kind]


def is_nullable(kind):
    return type(None) in parts(kind)


def fits_one(value, kind, scope, where):
    """Whether a value is of a type that is no union; problems inside an object that is are reported."""
    if isinstance(kind, str):
        kind = typing.ForwardRef(kind)
    if kind is typing.Any:
        return True
    origin = typing.get_origin(kind)
    if isinstance(kind, typing.ForwardRef):
        if not isinstance(value, dict):
            return False
        cls = class_of(value.get("object"))
        if cls is not None and kind.__forward_arg__ in (cls.__name__, cls.__name__ + "Resource", "Card"):
            check(cls, value, where)
            return True
        return False
    if origin is typing.Literal:
        return value in typing.get_args(kind)
    if kind is type(None):
        return value is None
    if kind is bool:
        return isinstance(value, bool)
    if kind in (int, float):
        return isinstance(value, kind) and not isinstance(value, bool)
    if kind is str:
        return isinstance(value, str)
    if kind is decimal.Decimal:
        return isinstance(value, str) and decimal.Decimal(value) is not None
    if origin is list:
        if isinstance(value, list):
            for index, item in enumerate(value):
                fits(item, typing.get_args(kind)[0], scope, f"{where}[{index}]")
            return True
        return False
    if not isinstance(value, dict):
        return False
    if origin is not None and origin.__name__ == "ListObject":
        if set(value) != {"object", "data", "has_more", "url"} or value["object"] != "list":
            blame(where, f"is no list: {sorted(value)}")
        for index, item in enumerate(value.get("data", [])):
            fits(item, typing.get_args(kind)[0], scope, f"{where}.data[{index}]")
        return True
    name = (origin or kind).__name__
    if name in ("UntypedStripeObject", "dict"):
        return True
    if isinstance(kind, type) and issubclass(kind, stripe.StripeObject):
        check(kind, value, where)
        return True
    raise TypeError(f"{where}: a kind of type that is not known here: {kind!r}")


def fits(value, kind, scope, where):
    alternatives = parts(kind)
    literals = [one for one in alternatives if typing.get_origin(one) is typing.Literal]
    # The SDK leaves room for values of later versions (`Literal[...] | str`); the sandbox has none.
    if literals and isinstance(value, str):
        alternatives = literals
    if not any(fits_one(value, one, scope, where) for one in alternatives):
        blame(where, f"{json.dumps(value)[:80]} is not {kind}")


def check(cls, value, where):
    fields = fields_of(cls)
    for name in value:
        if name not in fields:
            blame(where, f"{name} is not a field of {cls.__qualname__}")
    if value.get("deleted"):
        if set(value) != {"id", "object", "deleted"}:
            blame(where, f"is no deleted object: {sorted(value)}")
        return
    for name, (kind, scope) in fields.items():
        if value.get(name) is not None:
            fits(value[name], kind, scope, f"{where}.{name}")
        elif not is_nullable(kind):
            blame(where, f"{name} of {cls.__qualname__} is missing")


def check_answer(body, where):
    if "error" in body:
        check(stripe.ErrorObject, body["error"], f"{where} error")
        return
    if body["object"] == "list":
        if set(body) != {"object", "data", "has_more", "url"}:
            blame(where, f"is no list: {sorted(body)}")
        for item in body["data"]:
            check_answer(item, where)
        return
    cls = class_of(body["object"])
    if cls is None:
        blame(where, f"{body['object']} is no object of the SDK")
        return
    check(cls, body, body["object"])
    if body["object"] == "event":
        check_answer(body["data"]["object"], where)


ROUTES = {
    "customers": "Customer",
    "checkout/sessions": "checkout.Session",
    "payment_intents": "PaymentIntent",
    "setup_intents": "SetupIntent",
    "setup_attempts": "SetupAttempt",
    "payment_methods": "PaymentMethod",
    "refunds": "Refund",
    "charges": "Charge",
    "disputes": "Dispute",
    "events": "Event",
    "prices": "Price",
    "products": "Product",
    "accounts": "Account",
    "account_links": "AccountLink",
    "transfers": "Transfer",
    "balance_transactions": "BalanceTransaction",
    "webhook_endpoints": "WebhookEndpoint",
}
OF_LISTS = {
    "customers/payment_methods": ("CustomerPaymentMethod", True),
    "checkout/sessions/line_items": ("checkout.SessionLineItem", True),
    "transfers/reversals": ("TransferReversal", False),
}


def params_name(method, path):
    """The name of the SDK's parameters of a call."""
    segments = path.removeprefix("/v1/").split("/")
    resource = segments.pop(0)
    if resource == "checkout":
        resource += "/" + segments.pop(0)
    verb = {"GET": "Retrieve", "POST": "Update", "DELETE": "Delete"}[method]
    if resource == "customers" and segments[1:2] == ["payment_methods"]:
        # Named after the method of the customer.
        return "CustomerListPaymentMethodsParams" if len(segments) == 2 else "CustomerRetrievePaymentMethodParams"
    if len(segments) >= 2 and f"{resource}/{segments[1]}" in OF_LISTS:
        stem, _ = OF_LISTS[f"{resource}/{segments[1]}"]
        if len(segments) == 2:
            verb = {"GET": "List", "POST": "Create"}[method]
        return f"{stem}{verb}Params"
    if resource not in ROUTES:
        return None
    stem = ROUTES[resource]
    if not segments:
        verb = {"GET": "List", "POST": "Create"}[method]
    elif len(segments) == 2:
        verb = segments[1].title()
    return f"{stem}{verb}Params"


def params_class(name):
    place = stripe.params
    if name.startswith("checkout."):
        place, name = stripe.params.checkout, name.removeprefix("checkout.")
    return getattr(place, name, None)


def tree(pairs):
    root = {}
    for name, value in pairs:
        keys = [key.rstrip("]") for key in name.split("[")]
        node = root
        for key in keys[:-1]:
            node = node.setdefault(key, {})
        node[keys[-1] or str(len(node))] = value

    def listed(node):
        if not isinstance(node, dict):
            return node
        if node and all(key.isdigit() for key in node):
            return [listed(node[key]) for key in sorted(node, key=int)]
        return {key: listed(part) for key, part in node.items()}

    return listed(root)


NOT_THIS = object()


def read(value, kind, where):
    """A parameter as its type has it, or NOT_THIS."""
    origin = typing.get_origin(kind)
    if origin in UNIONS:
        for one in typing.get_args(kind):
            got = read(value, one, where)
            if got is not NOT_THIS:
                return got
        return NOT_THIS
    if origin is not None and getattr(origin, "__name__", str(origin)).endswith(("NotRequired", "Required")):
        return read(value, typing.get_args(kind)[0], where)
    if origin is typing.Literal:
        return value if value in typing.get_args(kind) else NOT_THIS
    if kind is str:
        return value if isinstance(value, str) else NOT_THIS
    if kind is bool:
        return {"true": True, "false": False}.get(value, NOT_THIS) if isinstance(value, str) else NOT_THIS
    if kind is int:
        return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d+", value) else NOT_THIS
    if origin is list:
        if not isinstance(value, list):
            return NOT_THIS
        return [read(item, typing.get_args(kind)[0], where) for item in value]
    if origin is dict or getattr(origin, "__name__", "") == "UntypedStripeObject":
        return value if isinstance(value, dict) else NOT_THIS
    if isinstance(kind, type) and typing_extensions.is_typeddict(kind):
        return read_group(value, kind, where) if isinstance(value, dict) else NOT_THIS
    return NOT_THIS


def read_group(given, cls, where):
    # What the SDK imports for type checkers only is of no parameter that goes over the wire.
    hints = typing_extensions.get_type_hints(cls, localns={"StripeContext": object, "Mapping": typing.Mapping})
    result = {}
    for name, value in given.items():
        if name in RequestOptions.__annotations__ or name not in hints:
            blame(where, f"{name} is no parameter of {cls.__name__}")
            continue
        got = read(value, hints[name], f"{where}.{name}")
        if got is NOT_THIS:
            blame(where, f"{name}={value!r} is not {hints[name]}")
        else:
            result[name] = got
    for name in cls.__required_keys__ - set(given):
        blame(where, f"{name} of {cls.__name__} is missing")
    return result


def check_request(exchange):
    """The request as its parameters' class has it, and the class's name."""
    name = params_name(exchange["method"], exchange["path"])
    if name is None:
        return None
    cls = params_class(name)
    where = f"{exchange['method']} {exchange['path']}"
    if cls is None:
        blame(where, f"there is no {name}")
        return None
    pairs = urllib.parse.parse_qsl(exchange["query"], keep_blank_values=True)
    pairs += urllib.parse.parse_qsl(exchange["body"], keep_blank_values=True)
    return name, read_group(tree(pairs), cls, name)


TYPES = {
    "checkout.session": "Checkout.Session",
    "item": "LineItem",
    "event": "EventBase",
}


class Statements:
    """A TypeScript file whose every line states that a value is of a type of the SDK's."""

    def __init__(self):
        self.lines = {}

    def object(self, value):
        if value.get("object") == "list":
            for item in value["data"]:
                self.object(item)
            return
        name = TYPES.get(value["object"]) or "".join(part.title() for part in value["object"].split("_"))
        if value.get("deleted"):
            name = "Deleted" + name
        self.add(name, value)
        if value["object"] == "event":
            self.object(value["data"]["object"])

    def add(self, name, value):
        # One of each form is enough; which fields are null is part of the form.
        form = json.dumps(value, sort_keys=True)
        form = re.sub(r'"(?:[^"\\]|\\.)*"(?!:)', '"…"', form)
        form = re.sub(r": -?\d+", ": 0", form)
        self.lines.setdefault((name, form), value)

    def write(self, path):
        with open(path, "w") as out:
            out.write('import Stripe from "stripe";\ndeclare const decimal: Stripe.Decimal;\n')
            for number, ((name, _), value) in enumerate(sorted(self.lines.items(), key=lambda line: line[0])):
                text = json.dumps(value, indent=1)
                # Over the wire a decimal is text; the SDK turns it into an object.
                text = re.sub(r'"unit_amount_decimal": "[^"]*"', '"unit_amount_decimal": decimal', text)
                out.write(f"export const value{number}: Stripe.{name} = {text};\n")


def main():
    exchanges, out = sys.argv[1], sys.argv[2]
    statements = Statements()
    counts = {"ours": 0, "answers": 0}
    with open(exchanges) as lines:
        for line in lines:
            exchange = json.loads(line)
            body = json.loads(exchange["answer"])
            accepted = exchange["status"] == 200
            # What was to be refused may well have been no request of the SDK's types.
            if accepted:
                checked = check_request(exchange)
                if checked and "PythonBindings" not in exchange["agent"]:
                    counts["ours"] += 1
                    statements.add(ts_params(checked[0]), checked[1])
            counts["answers"] += 1
            check_answer(body, f"{exchange['method']} {exchange['path']}")
            if accepted:
                statements.object(body)
    statements.write(out)
    for (where, what), count in sorted(problems.items()):
        print(f"{where}: {what} ({count} times)", file=sys.stderr)
    assert counts["ours"] > 0, "no request of the application was seen"
    print(f"{counts['answers']} answers and {counts['ours']} requests of the application, {len(statements.lines)} forms")
    sys.exit(1 if problems else 0)


def ts_params(name):
    return name.replace("checkout.", "Checkout.")


main()
