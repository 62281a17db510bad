"""Walks every resource of the sandbox with Stripe's official Python SDK, as any program of Stripe's users would.

Arguments: the address of the API, and the address of the server whose pages and controls are under /sandbox.
Everything is asserted; the last line says how many steps held.
"""

import http.server
import json
import queue
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import stripe

API, SITE = sys.argv[1], sys.argv[2]
KEY = "sk_test_of_the_sdk"


def new_client(**more):
    return stripe.StripeClient(KEY, base_addresses={"api": API}, **({"max_network_retries": 0} | more))


client = new_client()
v1 = client.v1


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


opener = urllib.request.build_opener(Stay)


def page(method, path, form=None, body=None):
    """A page or a control of the sandbox: its status, its text and where it leads."""
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    if body is not None:
        data = json.dumps(body).encode()
    url = path if path.startswith("http") else SITE + path
    request = urllib.request.Request(url, data=data, method=method)
    if body is not None:
        request.add_header("content-type", "application/json")
    try:
        answer = opener.open(request, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.read().decode(), answer.headers.get("location")


def advance(seconds):
    status, text, _ = page("POST", "/dev/clock", body={"advance_seconds": seconds})
    assert status == 200, text


def until(what, ask):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = ask()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited for {what}")


def refused(kind, call, *, code=None, param=None, status=400):
    """The SDK's exception of a call that must be refused."""
    try:
        call()
    except stripe.StripeError as error:
        assert type(error) is kind, (type(error), str(error))
        assert error.http_status == status, (error.http_status, status, str(error))
        # Not every exception of the SDK repeats the code.
        told = getattr(error.error, "code", None)
        assert told == code and error.code in (code, None), (told, error.code, code, str(error))
        if param is not None:
            assert error.param == param, (error.param, param)
        assert error.headers["request-id"].startswith("req_")
        assert error.user_message or error.error.message
        return error
    raise AssertionError(f"expected {kind.__name__} {code}")


Invalid = stripe.InvalidRequestError


class Hooks:
    """An endpoint that webhooks are delivered to."""

    def __init__(self):
        self.arrived = queue.Queue()
        arrived = self.arrived

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                payload = self.rfile.read(int(self.headers["content-length"]))
                arrived.put((payload, self.headers["stripe-signature"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks"


hooks = Hooks()
endpoint = None
told = []


def collect():
    """What has arrived so far, each checked with the SDK under its signature."""
    while True:
        try:
            payload, signature = hooks.arrived.get_nowait()
        except queue.Empty:
            return told
        # The server's clock is moved, so that a signature's age says nothing here.
        event = client.construct_event(payload, signature, endpoint.secret, tolerance=10**9)
        told.append(event)


def wait_for(kind, about, which=lambda event: True):
    def look():
        for event in collect():
            if event.type == kind and event.data.object["id"] == about and which(event):
                return event
        return None

    return until(f"{kind} of {about}", look)


def webhook_endpoints():
    global endpoint
    endpoint = v1.webhook_endpoints.create({"url": hooks.url, "enabled_events": ["*"], "metadata": {"a": "b"}})
    assert endpoint.secret.startswith("whsec_")
    assert not hasattr(v1.webhook_endpoints.retrieve(endpoint.id), "secret")
    other = v1.webhook_endpoints.create({"url": hooks.url + "/other", "enabled_events": ["charge.succeeded"]})
    changed = v1.webhook_endpoints.update(other.id, {"disabled": True, "description": "gone soon"})
    assert (changed.status, changed.description) == ("disabled", "gone soon")
    assert {other.id, endpoint.id} <= {one.id for one in v1.webhook_endpoints.list().auto_paging_iter()}
    assert v1.webhook_endpoints.delete(other.id).deleted is True
    refused(Invalid, lambda: v1.webhook_endpoints.retrieve(other.id), code="resource_missing", status=404)
    refused(Invalid, lambda: v1.webhook_endpoints.create({"url": "nowhere", "enabled_events": ["*"]}), code="url_invalid")
    refused(Invalid, lambda: v1.webhook_endpoints.create({"url": hooks.url, "enabled_events": []}), code="parameter_missing")


def signatures():
    customer = v1.customers.create({"email": "hooks@example.com"})
    event = wait_for("customer.created", customer.id)
    assert event.data.object["email"] == "hooks@example.com"
    assert event.api_version == stripe.api_version
    assert event.request.id == customer.last_response.headers["request-id"]
    assert v1.events.retrieve(event.id).to_dict() == event.to_dict()
    payload = json.dumps(event.to_dict())
    try:
        client.construct_event(payload, "t=1,v1=00", endpoint.secret)
        raise AssertionError("a wrong signature passed")
    except stripe.SignatureVerificationError:
        pass


def customers():
    made = [
        v1.customers.create({"email": "pages@example.com", "name": f"N{number}", "metadata": {"n": str(number)}})
        for number in range(7)
    ]
    wanted = [one.id for one in reversed(made)]
    search = {"email": "pages@example.com", "limit": 2}
    assert [one.id for one in v1.customers.list(search).auto_paging_iter()] == wanted
    backwards = v1.customers.list(search | {"ending_before": wanted[-1]})
    assert [one.id for one in backwards.auto_paging_iter()] == list(reversed(wanted[:-1]))
    first = v1.customers.list(search)
    assert first.has_more and first.url == "/v1/customers" and len(first.data) == 2
    assert [one.id for one in first.next_page().data] == wanted[2:4]
    assert v1.customers.list({"created": {"gt": made[-1].created + 10}}).data == []
    one = v1.customers.update(
        made[0].id,
        {
            "name": "Maya",
            "phone": "",
            "address": {"city": "Rome", "country": "IT"},
            "shipping": {"name": "Maya", "address": {"line1": "Via 1"}},
            "metadata": {"n": "", "x": "1"},
            "preferred_locales": ["it"],
        },
    )
    assert (one.name, one.address.city, one.address.line1, one.metadata.to_dict()) == ("Maya", "Rome", None, {"x": "1"})
    previous = wait_for("customer.updated", one.id).data.previous_attributes.to_dict()
    assert previous["name"] == "N0" and previous["metadata"] == {"n": "0", "x": None} and "email" not in previous
    gone = v1.customers.delete(made[1].id)
    assert gone.to_dict() == {"id": made[1].id, "object": "customer", "deleted": True}
    assert v1.customers.retrieve(made[1].id).to_dict() == gone.to_dict()
    assert made[1].id not in [one.id for one in v1.customers.list(search).auto_paging_iter()]
    refused(Invalid, lambda: v1.customers.update(made[1].id, {"name": "x"}), code="resource_missing", param="id", status=404)
    refused(Invalid, lambda: v1.customers.retrieve("cus_none"), code="resource_missing", param="id", status=404)
    refused(Invalid, lambda: v1.customers.create({"colour": "red"}), code="parameter_unknown", param="colour")
    refused(Invalid, lambda: v1.customers.create({"email": "nobody"}), code="email_invalid", param="email")
    for limit in (0, 101):
        refused(Invalid, lambda: v1.customers.list({"limit": limit}), code="parameter_invalid_integer", param="limit")
    refused(Invalid, lambda: v1.customers.list({"starting_after": "cus_none"}), code="resource_missing", param="starting_after")
    refused(Invalid, lambda: v1.customers.list({"starting_after": made[2].id, "ending_before": made[3].id}))
    refused(Invalid, lambda: v1.customers.list({"expand": ["subscriptions"]}), param="expand")
    refused(Invalid, lambda: v1.customers.retrieve(made[0].id, {"expand": ["colour"]}), param="expand")
    listed = v1.customers.list(search | {"expand": ["data.sources", "data.tax_ids"]})
    assert all(one.sources.data == [] and one.tax_ids.data == [] for one in listed)


def keys_and_headers():
    bad = stripe.StripeClient("sk_live_1", base_addresses={"api": API}, max_network_retries=0)
    refused(stripe.AuthenticationError, lambda: bad.v1.balance.retrieve(), status=401)
    account = v1.accounts.retrieve_current()
    assert account.object == "account" and account.charges_enabled
    assert account.last_response.headers["stripe-version"] == stripe.api_version
    refused(Invalid, lambda: client.raw_request("get", "/v1/nowhere"), status=404)
    refused(Invalid, lambda: v1.customers.list(options={"stripe_account": "acct_other"}))
    too_much = {"metadata": {"a": "b"}, "description": "x" * 1_100_000}
    refused(stripe.APIError, lambda: v1.customers.create(too_much), status=413)
    once = {"idempotency_key": "once"}
    first = v1.customers.create({"name": "Once"}, once)
    again = v1.customers.create({"name": "Once"}, once)
    assert again.id == first.id and again.last_response.headers["idempotent-replayed"] == "true"
    assert wait_for("customer.created", first.id).request.idempotency_key == "once"
    refused(stripe.IdempotencyError, lambda: v1.customers.create({"name": "Twice"}, once))
    refused(stripe.IdempotencyError, lambda: v1.products.create({"name": "Once"}, once))


def outages():
    failures = [
        ("rate_limit", stripe.RateLimitError, 429, "rate_limit"),
        ("lock_timeout", stripe.RateLimitError, 429, "lock_timeout"),
        ("idempotency_key_in_use", stripe.APIError, 409, "idempotency_key_in_use"),
        ("api_error", stripe.APIError, 500, None),
    ]
    for failure, kind, status, code in failures:
        assert page("POST", "/sandbox/outage", body={"failure": failure, "calls": 1})[0] == 200
        refused(kind, lambda: v1.balance.retrieve(), code=code, status=status)
        assert v1.balance.retrieve().object == "balance"
    assert page("POST", "/sandbox/outage", body={"failure": "rate_limit", "calls": 2})[0] == 200
    patient = new_client(max_network_retries=3)
    assert patient.v1.balance.retrieve().object == "balance"
    for wrong in ({"failure": "fire", "calls": 1}, {"failure": "rate_limit"}, {"failure": "rate_limit", "calls": 1001}):
        assert page("POST", "/sandbox/outage", body=wrong)[0] == 400


def catalog():
    product = v1.products.create({"name": "Diagnostic", "description": "A look", "metadata": {"a": "b"}})
    price = v1.prices.create({"currency": "usd", "unit_amount": 4900, "product": product.id, "lookup_key": "look"})
    assert v1.prices.retrieve(price.id, {"expand": ["product"]}).product.name == "Diagnostic"
    changed = v1.products.update(product.id, {"default_price": price.id, "active": False, "name": "Look"})
    assert changed.default_price == price.id
    assert wait_for("product.updated", product.id).data.previous_attributes["name"] == "Diagnostic"
    assert price.id in [one.id for one in v1.prices.list({"active": True, "product": product.id})]
    assert v1.prices.update(price.id, {"active": False, "nickname": "old"}).active is False
    assert v1.prices.list({"active": True, "product": product.id}).data == []
    assert [one.id for one in v1.prices.list({"lookup_keys": ["look"], "type": "one_time"})] == [price.id]
    assert [one.id for one in v1.products.list({"ids": [product.id], "active": False})] == [product.id]
    refused(Invalid, lambda: v1.products.delete(product.id))
    empty = v1.products.create({"name": "Nothing", "id": "prod_nothing"})
    refused(Invalid, lambda: v1.products.create({"name": "N", "id": "prod_nothing"}), code="resource_already_exists")
    assert v1.products.delete(empty.id).deleted
    refused(Invalid, lambda: v1.products.retrieve(empty.id), code="resource_missing", status=404)
    refused(Invalid, lambda: v1.prices.create({"currency": "usd", "product": product.id}), code="parameter_missing")


ITEM = {
    "price_data": {"currency": "usd", "unit_amount": 2999, "product_data": {"name": "Expert Video"}},
    "quantity": 1,
}
SHOP = {"success_url": "http://shop.test/?s={CHECKOUT_SESSION_ID}", "cancel_url": "http://shop.test/cart"}
CARD = {"card_number": "4242424242424242", "exp": "12/34", "cvc": "123"}


def checkout_payment():
    customer = v1.customers.create({"email": "pays@example.com", "name": "Pia"})
    session = v1.checkout.sessions.create(
        SHOP
        | {
            "mode": "payment",
            "customer": customer.id,
            "line_items": [ITEM] * 3,
            "payment_intent_data": {"setup_future_usage": "off_session", "metadata": {"order": "1"}},
            "metadata": {"order": "1"},
            "expand": ["line_items.data.price.product"],
        }
    )
    assert session.line_items.data[0].price.product.name == "Expert Video"
    lines = v1.checkout.sessions.line_items.list(session.id, {"limit": 2})
    assert lines.has_more and len(list(lines.auto_paging_iter())) == 3
    assert v1.checkout.sessions.update(session.id, {"metadata": {"more": "2"}}).metadata["more"] == "2"
    assert page("POST", f"/sandbox/checkout/{session.id}/pay", CARD)[0] == 303
    read = v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge.balance_transaction", "customer"]}
    )
    assert (read.status, read.payment_status, read.customer.name) == ("complete", "paid", "Pia")
    intent = read.payment_intent
    fee = intent.latest_charge.balance_transaction
    assert (fee.amount, fee.fee, fee.net, fee.status) == (8997, 291, 8706, "pending")
    by_mail = v1.checkout.sessions.list({"customer_details": {"email": "pays@example.com"}, "status": "complete"})
    assert [one.id for one in by_mail] == [session.id]
    assert [one.id for one in v1.checkout.sessions.list({"payment_intent": intent.id})] == [session.id]
    kept = list(v1.customers.payment_methods.list(customer.id, {"type": "card"}).auto_paging_iter())
    assert [one.card.last4 for one in kept] == ["4242"]
    wait_for("checkout.session.completed", session.id)
    return customer, kept[0]


def checkout_expiry():
    now = v1.customers.create({}).created
    for at in (now + 600, now + 90_000):
        refused(
            Invalid,
            lambda: v1.checkout.sessions.create(
                SHOP | {"mode": "payment", "line_items": [ITEM], "expires_at": at}
            ),
            param="expires_at",
        )
    session = v1.checkout.sessions.create(
        SHOP | {"mode": "payment", "line_items": [ITEM], "expires_at": now + 1_860}
    )
    other = v1.checkout.sessions.create(SHOP | {"mode": "payment", "line_items": [ITEM]})
    assert v1.checkout.sessions.expire(other.id).status == "expired"
    refused(Invalid, lambda: v1.checkout.sessions.expire(other.id))
    advance(1_900)
    assert v1.checkout.sessions.retrieve(session.id).status == "expired"
    wait_for("checkout.session.expired", session.id)
    assert page("POST", f"/sandbox/checkout/{session.id}/pay", CARD)[0] == 410
    refused(Invalid, lambda: v1.checkout.sessions.create({"mode": "payment"}), code="parameter_missing")
    refused(
        Invalid,
        lambda: v1.checkout.sessions.create(SHOP | {"mode": "setup", "line_items": [ITEM]}),
        param="line_items",
    )


def checkout_setup():
    customer = v1.customers.create({"email": "keeps@example.com"})
    session = v1.checkout.sessions.create(
        SHOP
        | {
            "mode": "setup",
            "currency": "usd",
            "customer": customer.id,
            "setup_intent_data": {"metadata": {"for": "later"}},
            "expand": ["setup_intent"],
        }
    )
    assert session.setup_intent.status == "requires_payment_method" and session.amount_total is None
    assert "Save a card" in page("GET", f"/sandbox/checkout/{session.id}")[1]
    declined = page("POST", f"/sandbox/checkout/{session.id}/pay", CARD | {"card_number": "4000000000000002"})
    assert declined[0] == 402, declined
    asked = page("POST", f"/sandbox/checkout/{session.id}/pay", CARD | {"card_number": "4000002500003155"})
    assert asked[2].endswith("/authenticate"), asked
    assert "Is this card yours?" in page("GET", asked[2])[1]
    done = page("POST", asked[2], {"outcome": "complete"})
    assert done[2] == f"http://shop.test/?s={session.id}", done
    read = v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent.payment_method"]})
    assert (read.status, read.payment_status) == ("complete", "no_payment_required")
    assert read.setup_intent.status == "succeeded" and read.setup_intent.payment_method.customer == customer.id
    assert len(list(v1.setup_attempts.list({"setup_intent": read.setup_intent.id}))) == 2
    paid = off_session(customer.id, read.setup_intent.payment_method.id)
    assert paid.status == "succeeded"
    left = v1.checkout.sessions.create(SHOP | {"mode": "setup", "customer": customer.id})
    v1.checkout.sessions.expire(left.id)
    assert v1.setup_intents.retrieve(left.setup_intent).status == "canceled"


def off_session(customer, method, amount=2000, **more):
    return v1.payment_intents.create(
        {
            "amount": amount,
            "currency": "usd",
            "customer": customer,
            "payment_method": method,
            "off_session": True,
            "confirm": True,
        }
        | more
    )


def setup_intents():
    customer = v1.customers.create({})
    plain = v1.setup_intents.create({"customer": customer.id, "usage": "off_session", "allowed_payment_method_types": ["card"]})
    assert plain.status == "requires_payment_method" and plain.allowed_payment_method_types == ["card"]
    refused(Invalid, lambda: v1.setup_intents.confirm(plain.id), code="setup_intent_unexpected_state")
    done = v1.setup_intents.confirm(plain.id, {"payment_method": "pm_card_visa"})
    assert done.status == "succeeded"
    again = refused(Invalid, lambda: v1.setup_intents.confirm(plain.id), code="setup_intent_unexpected_state")
    assert again.error.setup_intent.id == plain.id
    refused(Invalid, lambda: v1.setup_intents.cancel(plain.id), code="setup_intent_unexpected_state")
    declined = refused(
        stripe.CardError,
        lambda: v1.setup_intents.create({"payment_method": "pm_card_chargeDeclined", "confirm": True}),
        code="card_declined",
        status=402,
    )
    assert declined.error.setup_intent.last_setup_error.decline_code == "generic_decline"
    asked = v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_authenticationRequiredOnSetup",
            "confirm": True,
            "return_url": "http://shop.test/back",
        }
    )
    assert asked.status == "requires_action"
    address = asked.next_action.redirect_to_url.url
    assert page("GET", address)[0] == 200
    back = page("POST", address, {"outcome": "complete"})[2]
    assert back.startswith(f"http://shop.test/back?setup_intent={asked.id}") and back.endswith("succeeded")
    read = v1.setup_intents.retrieve(asked.id, {"expand": ["latest_attempt", "payment_method"]})
    assert read.latest_attempt.status == "succeeded"
    assert off_session(customer.id, read.payment_method.id).status == "succeeded"
    open_one = v1.setup_intents.create({"description": "x", "metadata": {"a": "1"}})
    assert v1.setup_intents.update(open_one.id, {"customer": customer.id, "metadata": {"b": "2"}}).customer == customer.id
    assert v1.setup_intents.cancel(open_one.id, {"cancellation_reason": "abandoned"}).status == "canceled"
    listed = [one.id for one in v1.setup_intents.list({"customer": customer.id, "limit": 1}).auto_paging_iter()]
    assert listed == [open_one.id, asked.id, plain.id]
    for kind, about in [
        ("setup_intent.created", plain),
        ("setup_intent.succeeded", plain),
        ("setup_intent.requires_action", asked),
        ("setup_intent.canceled", open_one),
    ]:
        wait_for(kind, about.id)


def payment_methods():
    customer = v1.customers.create({})
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    method = v1.payment_methods.create(
        {"type": "card", "card": card, "billing_details": {"name": "Pia", "address": {"city": "Rome"}}}
    )
    assert v1.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}}).card.brand == "mastercard"
    attached = v1.payment_methods.attach(method.id, {"customer": customer.id})
    assert attached.customer == customer.id and attached.billing_details.address.city == "Rome"
    assert v1.customers.payment_methods.retrieve(customer.id, method.id).id == method.id
    assert v1.payment_methods.update(method.id, {"metadata": {"a": "1"}}).metadata["a"] == "1"
    assert [one.id for one in v1.payment_methods.list({"customer": customer.id, "type": "card"})] == [method.id]
    chosen = {"invoice_settings": {"default_payment_method": method.id}}
    read = v1.customers.update(customer.id, chosen | {"expand": ["invoice_settings.default_payment_method"]})
    assert read.invoice_settings.default_payment_method.card.last4 == "4242"
    assert v1.payment_methods.detach(method.id).customer is None
    refused(Invalid, lambda: v1.payment_methods.detach(method.id), code="payment_method_unexpected_state")
    used_up = "payment_method_unexpected_state"
    refused(Invalid, lambda: v1.payment_methods.attach(method.id, {"customer": customer.id}), code=used_up)
    refused(Invalid, lambda: off_session(customer.id, method.id), code=used_up)
    once = {"amount": 900, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    paid = v1.payment_intents.create(once)
    again = once | {"payment_method": paid.payment_method}
    refused(Invalid, lambda: v1.payment_intents.create(again), code=used_up)
    refused(Invalid, lambda: v1.payment_methods.attach(paid.payment_method, {"customer": customer.id}), code=used_up)
    assert v1.customers.payment_methods.list(customer.id).data == []
    refused(Invalid, lambda: v1.customers.update(customer.id, chosen), code="resource_missing")
    refused(
        stripe.CardError,
        lambda: v1.payment_methods.create({"type": "card", "card": card | {"number": "4242424242424241"}}),
        code="incorrect_number",
        status=402,
    )
    refused(
        stripe.CardError,
        lambda: v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id}),
        code="card_declined",
        status=402,
    )
    wait_for("payment_method.detached", method.id)


def payment_intents():
    customer = v1.customers.create({})
    made = v1.payment_intents.create(
        {"amount": 1500, "currency": "usd", "customer": customer.id, "automatic_payment_methods": {"enabled": True}}
    )
    assert made.status == "requires_payment_method"
    refused(Invalid, lambda: v1.payment_intents.confirm(made.id), code="payment_intent_unexpected_state")
    changed = v1.payment_intents.update(made.id, {"amount": 1600, "transfer_group": "g1", "metadata": {"a": "1"}})
    assert (changed.amount, changed.transfer_group) == (1600, "g1")
    paid = v1.payment_intents.confirm(
        made.id, {"payment_method": "pm_card_visa", "return_url": "http://shop.test/"}
    )
    assert paid.status == "succeeded"
    for call in (
        lambda: v1.payment_intents.confirm(made.id),
        lambda: v1.payment_intents.cancel(made.id),
        lambda: v1.payment_intents.capture(made.id),
        lambda: v1.payment_intents.update(made.id, {"amount": 500}),
    ):
        error = refused(Invalid, call, code="payment_intent_unexpected_state")
        assert error.error.payment_intent.id == made.id
    secret = v1.payment_intents.retrieve(made.id, {"client_secret": made.client_secret})
    assert secret.id == made.id
    refused(Invalid, lambda: v1.payment_intents.retrieve(made.id, {"client_secret": "x"}), param="client_secret")
    for alias, code, reason in [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    ]:
        error = refused(
            stripe.CardError,
            lambda: v1.payment_intents.create(
                {"amount": 1500, "currency": "usd", "payment_method": alias, "confirm": True}
            ),
            code=code,
            status=402,
        )
        intent = error.error.payment_intent
        assert error.error.decline_code == reason or (reason is None and not hasattr(error.error, "decline_code"))
        assert intent.status == "requires_payment_method" and intent.last_payment_error.code == code
        assert v1.charges.retrieve(intent.latest_charge).status == "failed"
    for params, code, param in [
        ({"amount": 1500}, "parameter_missing", "currency"),
        ({"amount": "x", "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"amount": 1, "currency": "usd"}, "amount_too_small", "amount"),
        ({"amount": 10**9, "currency": "usd"}, "amount_too_large", "amount"),
        ({"amount": 1500, "currency": "usd", "customer": "cus_no"}, "resource_missing", "customer"),
    ]:
        refused(Invalid, lambda: v1.payment_intents.create(params), code=code, param=param)
    open_one = v1.payment_intents.create({"amount": 1500, "currency": "usd", "customer": customer.id})
    assert v1.payment_intents.cancel(open_one.id, {"cancellation_reason": "duplicate"}).status == "canceled"
    listed = [one.id for one in v1.payment_intents.list({"customer": customer.id, "limit": 1}).auto_paging_iter()]
    assert listed == [open_one.id, made.id]
    refused(Invalid, lambda: v1.payment_intents.list({"customer": "cus_no"}), code="resource_missing", param="customer")
    assert [one.id for one in v1.charges.list({"transfer_group": "g1"})] == [paid.latest_charge]
    wait_for("payment_intent.canceled", open_one.id)


def kept_cards(customer, method):
    """An upgrade's difference, charged to the card that the first payment kept."""
    paid = off_session(customer.id, method.id, expand=["latest_charge"])
    assert paid.latest_charge.paid and paid.amount_received == 2000
    wait_for("payment_intent.succeeded", paid.id)
    fails = v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    error = refused(stripe.CardError, lambda: off_session(customer.id, fails.id), code="card_declined", status=402)
    wait_for("payment_intent.payment_failed", error.error.payment_intent.id)
    asks = v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer.id})
    error = refused(
        stripe.CardError, lambda: off_session(customer.id, asks.id), code="authentication_required", status=402
    )
    assert error.error.decline_code == "authentication_required"
    intent = error.error.payment_intent
    assert intent.last_payment_error.payment_method.id == asks.id
    present = v1.payment_intents.confirm(intent.id, {"payment_method": asks.id, "return_url": "http://shop.test/"})
    assert present.status == "requires_action"
    page("POST", present.next_action.redirect_to_url.url, {"outcome": "complete"})
    assert v1.payment_intents.retrieve(intent.id).status == "succeeded"
    other = v1.customers.create({})
    refused(Invalid, lambda: off_session(other.id, method.id), param="payment_method")


def refunds():
    paid = v1.payment_intents.create(
        {"amount": 3000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    part = v1.refunds.create(
        {"payment_intent": paid.id, "amount": 1000, "reason": "requested_by_customer", "expand": ["balance_transaction"]}
    )
    assert (part.status, part.balance_transaction.amount) == ("succeeded", -1000)
    previous = wait_for("charge.refunded", paid.latest_charge).data.previous_attributes
    assert previous["amount_refunded"] == 0
    refused(
        Invalid,
        lambda: v1.refunds.create({"payment_intent": paid.id, "amount": 2001}),
        code="amount_too_large",
        param="amount",
    )
    rest = v1.refunds.create({"charge": paid.latest_charge})
    refused(Invalid, lambda: v1.refunds.create({"payment_intent": paid.id}), code="charge_already_refunded")
    assert v1.refunds.update(part.id, {"metadata": {"why": "late"}}).metadata["why"] == "late"
    assert wait_for("refund.updated", part.id).data.previous_attributes.to_dict()["metadata"] == {"why": None}
    assert [one.id for one in v1.refunds.list({"payment_intent": paid.id, "limit": 1}).auto_paging_iter()] == [
        rest.id,
        part.id,
    ]
    charge = v1.charges.retrieve(paid.latest_charge, {"expand": ["refunds", "customer", "payment_intent"]})
    assert charge.refunded and [one.id for one in charge.refunds] == [rest.id, part.id]
    assert v1.refunds.retrieve(rest.id, {"expand": ["charge"]}).charge.id == charge.id
    slow = v1.payment_intents.create(
        {"amount": 3000, "currency": "usd", "payment_method": "pm_card_pendingRefund", "confirm": True}
    )
    waiting = v1.refunds.create({"payment_intent": slow.id})
    assert waiting.status == "pending"
    advance(5)
    assert v1.refunds.retrieve(waiting.id).status == "succeeded"
    changed = v1.charges.update(slow.latest_charge, {"description": "slow", "fraud_details": {"user_report": "safe"}})
    assert changed.fraud_details.user_report == "safe"
    wait_for("charge.updated", slow.latest_charge)


def disputed(alias):
    paid = v1.payment_intents.create(
        {"amount": 5000, "currency": "usd", "payment_method": alias, "confirm": True}
    )
    assert paid.status == "succeeded"
    advance(5)
    found = v1.disputes.list({"payment_intent": paid.id})
    return paid, found.data[0]


def disputes():
    paid, one = disputed("pm_card_createDispute")
    assert (one.status, one.reason, one.amount, one.is_charge_refundable) == ("needs_response", "fraudulent", 5000, False)
    assert [entry.net for entry in one.balance_transactions] == [-6500]
    wait_for("charge.dispute.created", one.id)
    wait_for("charge.dispute.funds_withdrawn", one.id)
    assert v1.charges.retrieve(paid.latest_charge).disputed
    refused(Invalid, lambda: v1.refunds.create({"payment_intent": paid.id}), code="charge_disputed")
    staged = v1.disputes.update(one.id, {"evidence": {"customer_name": "Pia"}, "submit": False})
    assert staged.status == "needs_response" and staged.evidence_details.has_evidence
    won = v1.disputes.update(one.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "metadata": {"a": "1"}})
    assert (won.status, won.evidence_details.submission_count) == ("under_review", 1)
    assert wait_for("charge.dispute.updated", one.id).data.previous_attributes.to_dict()["evidence"] == {"customer_name": None}
    advance(5)
    read = v1.disputes.retrieve(one.id, {"expand": ["charge", "payment_intent"]})
    assert (read.status, read.charge.id, read.payment_intent.id) == ("won", paid.latest_charge, paid.id)
    assert sum(entry.net for entry in read.balance_transactions) == -1500
    assert wait_for("charge.dispute.closed", one.id).data.previous_attributes["status"] == "under_review"
    wait_for("charge.dispute.funds_reinstated", one.id)
    refused(Invalid, lambda: v1.disputes.update(one.id, {"metadata": {"a": "2"}}))
    refused(Invalid, lambda: v1.disputes.close(one.id))

    _, lost = disputed("pm_card_createDisputeProductNotReceived")
    v1.disputes.update(lost.id, {"evidence": {"uncategorized_text": "losing_evidence"}})
    advance(5)
    assert v1.disputes.retrieve(lost.id).status == "lost"
    _, given_up = disputed("pm_card_createDispute")
    assert v1.disputes.close(given_up.id).status == "lost"
    _, asked = disputed("pm_card_createDisputeInquiry")
    assert (asked.status, asked.is_charge_refundable) == ("warning_needs_response", True)
    v1.disputes.update(asked.id, {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}})
    advance(5)
    assert v1.disputes.retrieve(asked.id).status == "needs_response"

    plain = v1.payment_intents.create(
        {"amount": 5000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    wanted = {"payment_intent": plain.id, "reason": "duplicate", "amount": 2000}
    status, text, _ = page("POST", "/sandbox/disputes", body=wanted)
    assert status == 200, text
    on_demand = v1.disputes.retrieve(json.loads(text)["id"])
    assert (on_demand.amount, on_demand.reason) == (2000, "duplicate")
    assert page("POST", "/sandbox/disputes", body=wanted)[0] == 400
    status, text, _ = page("POST", f"/sandbox/disputes/{on_demand.id}/decide", body={"outcome": "won"})
    assert (status, json.loads(text)["status"]) == (200, "won")
    for wrong in ({}, {"payment_intent": "pi_no"}, {"payment_intent": plain.id, "colour": 1}):
        assert page("POST", "/sandbox/disputes", body=wrong)[0] == 400
    ids = [one.id for one in v1.disputes.list({"limit": 2}).auto_paging_iter()]
    assert ids[:5] == [on_demand.id, asked.id, given_up.id, lost.id, one.id]
    refused(Invalid, lambda: v1.disputes.retrieve("du_no"), code="resource_missing", status=404)


def connect():
    account = v1.accounts.create(
        {
            "type": "express",
            "country": "US",
            "email": "mechanic@example.com",
            "capabilities": {"transfers": {"requested": True}},
            "business_profile": {"mcc": "7538"},
            "metadata": {"a": "1"},
        }
    )
    assert account.capabilities.transfers == "inactive" and "external_account" in account.requirements.currently_due
    charge = v1.payment_intents.create(
        {"amount": 10_000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    ).latest_charge
    transfer = {"amount": 4000, "currency": "usd", "destination": account.id, "source_transaction": charge}
    refused(
        Invalid, lambda: v1.transfers.create(transfer), code="insufficient_capabilities_for_transfer"
    )
    way = {"refresh_url": "http://shop.test/again", "return_url": "http://shop.test/done"}
    link = v1.account_links.create({"account": account.id, "type": "account_onboarding"} | way)
    assert link.url.startswith(SITE) and link.expires_at > link.created
    assert "Get paid by Pitlane" in page("GET", link.url)[1]
    assert page("POST", link.url, {"outcome": "complete"})[2] == way["return_url"]
    assert page("GET", link.url)[2] == way["refresh_url"]
    refused(Invalid, lambda: v1.account_links.create({"account": account.id, "type": "account_update"} | way), param="type")
    refused(Invalid, lambda: v1.account_links.create({"account": account.id, "type": "account_onboarding"}), code="parameter_missing")
    event = wait_for("account.updated", account.id)
    assert event.account == account.id and event.data.previous_attributes["payouts_enabled"] is False
    ready = v1.accounts.retrieve(account.id)
    assert ready.payouts_enabled and ready.capabilities.transfers == "active"
    changed = v1.accounts.update(account.id, {"settings": {"payouts": {"schedule": {"interval": "manual"}}}})
    assert changed.settings.payouts.schedule.interval == "manual"
    refused(Invalid, lambda: v1.accounts.update(account.id, {"settings": {"colour": "red"}}), code="parameter_unknown")

    made = v1.transfers.create(transfer | {"metadata": {"a": "1"}, "expand": ["balance_transaction", "destination"]})
    assert (made.balance_transaction.amount, made.destination.id) == (-4000, account.id)
    assert made.transfer_group == f"group_{charge}"
    wait_for("transfer.created", made.id)
    refused(Invalid, lambda: v1.transfers.create(transfer | {"amount": 6001}), code="balance_insufficient")
    refused(
        Invalid,
        lambda: v1.transfers.create(transfer | {"destination": "acct_no"}),
        code="resource_missing",
        param="destination",
    )
    back = v1.transfers.reversals.create(made.id, {"amount": 1000, "metadata": {"b": "2"}})
    assert wait_for("transfer.reversed", made.id).data.previous_attributes["amount_reversed"] == 0
    read = v1.transfers.retrieve(made.id)
    assert (read.amount_reversed, read.reversed, [one.id for one in read.reversals]) == (1000, False, [back.id])
    refused(Invalid, lambda: v1.transfers.reversals.create(made.id, {"amount": 3001}), code="amount_too_large")
    rest = v1.transfers.reversals.create(made.id)
    assert v1.transfers.retrieve(made.id).reversed
    refused(Invalid, lambda: v1.transfers.reversals.create(made.id))
    assert v1.transfers.reversals.retrieve(made.id, back.id, {"expand": ["transfer"]}).transfer.id == made.id
    assert v1.transfers.reversals.update(made.id, back.id, {"metadata": {"c": "3"}}).metadata["c"] == "3"
    assert [one.id for one in v1.transfers.reversals.list(made.id, {"limit": 1}).auto_paging_iter()] == [rest.id, back.id]
    assert v1.transfers.update(made.id, {"description": "pay"}).description == "pay"
    assert [one.id for one in v1.transfers.list({"destination": account.id})] == [made.id]

    custom = v1.accounts.create(
        {
            "type": "custom",
            "country": "US",
            "business_type": "individual",
            "business_profile": {"url": "https://example.com"},
            "capabilities": {"transfers": {"requested": True}, "card_payments": {"requested": True}},
            "external_account": "btok_us_verified",
        }
    )
    assert custom.requirements.currently_due == ["tos_acceptance.date", "tos_acceptance.ip"]
    custom = v1.accounts.update(custom.id, {"tos_acceptance": {"date": 1_700_000_000, "ip": "127.0.0.1"}})
    assert custom.charges_enabled
    full = v1.accounts.create(
        {"controller": {"stripe_dashboard": {"type": "none"}, "fees": {"payer": "application"}}}
    )
    assert (full.type, full.controller.fees.payer) == ("none", "application")
    assert [one.id for one in v1.accounts.list({"limit": 1}).auto_paging_iter()][:3] == [full.id, custom.id, account.id]
    assert v1.accounts.delete(full.id).deleted
    refused(stripe.PermissionError, lambda: v1.accounts.retrieve(full.id), code="account_invalid", status=403)


def balance():
    before = v1.balance.retrieve()
    pending = before.pending[0].amount
    assert pending > 0
    advance(2 * 86_400 + 10)
    after = v1.balance.retrieve()
    assert after.available[0].amount == before.available[0].amount + pending and after.pending[0].amount == 0
    account = next(one for one in v1.accounts.list() if one.payouts_enabled)
    transfer = {"currency": "usd", "destination": account.id, "transfer_group": "g2"}
    refused(
        Invalid,
        lambda: v1.transfers.create(transfer | {"amount": after.available[0].amount + 1}),
        code="balance_insufficient",
    )
    v1.transfers.create(transfer | {"amount": 100, "description": "share"})
    assert v1.balance.retrieve().available[0].amount == after.available[0].amount - 100
    assert len(list(v1.transfers.list({"transfer_group": "g2"}))) == 1
    kinds = {entry.type for entry in v1.balance_transactions.list({"limit": 100}).auto_paging_iter()}
    assert kinds >= {"charge", "refund", "adjustment", "transfer", "transfer_refund"}
    newest = v1.balance_transactions.list({"type": "transfer", "currency": "usd", "limit": 1}).data[0]
    assert v1.balance_transactions.retrieve(newest.id, {"expand": ["source"]}).source.object == "transfer"
    at_once = v1.payment_intents.create(
        {"amount": 900, "currency": "usd", "payment_method": "pm_card_bypassPendingInternational", "confirm": True}
    )
    entry = v1.balance_transactions.list({"source": at_once.latest_charge}).data[0]
    assert entry.status == "available"


def events():
    some = v1.events.list({"types": ["customer.created", "customer.deleted"], "limit": 3})
    assert {event.type for event in some.data} <= {"customer.created", "customer.deleted"}
    every = list(v1.events.list({"limit": 100}).auto_paging_iter())
    assert len(every) == len({event.id for event in every}) > 100
    assert all(event.data.previous_attributes is not None for event in every if event.type == "customer.updated")
    delivered = v1.events.list({"delivery_success": True, "limit": 100})
    undelivered = v1.events.list({"delivery_success": False, "limit": 100})
    assert not {event.id for event in delivered} & {event.id for event in undelivered}
    changed = [event.type for event in every if hasattr(event.data, "previous_attributes")]
    assert {"customer.updated", "charge.dispute.closed", "transfer.reversed", "account.updated"} <= set(changed)


def main():
    steps = 0
    kept = None
    for step in (
        webhook_endpoints,
        signatures,
        customers,
        keys_and_headers,
        outages,
        catalog,
        checkout_payment,
        checkout_expiry,
        checkout_setup,
        setup_intents,
        payment_methods,
        payment_intents,
        kept_cards,
        refunds,
        disputes,
        connect,
        balance,
        events,
    ):
        try:
            result = step(*kept) if step is kept_cards else step()
        except BaseException:
            print(f"failed in {step.__name__}", file=sys.stderr)
            raise
        if step is checkout_payment:
            kept = result
        steps += 1
    v1.webhook_endpoints.delete(endpoint.id)
    print(f"stripe {stripe.VERSION}: {steps} walks hold, {len(told)} webhooks under their signatures")


main()
