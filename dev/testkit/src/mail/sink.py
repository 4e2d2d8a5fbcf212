"""A mail server that keeps what it is given. It ends with its standard input.

Its one argument is a JSON object: port, folder, tls ("none", "starttls", "implicit"), certificate, key, user, password,
smtputf8. How it behaves is read from behaviour.json in the folder at each step, so that a test may change it.
"""

import asyncio
import base64
import email
import email.policy
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

options = json.loads(sys.argv[1])
folder = options["folder"]
context = None
if options["tls"] != "none":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["certificate"], options["key"])


def behaviour():
    with open(os.path.join(folder, "behaviour.json"), encoding="utf-8") as file:
        return json.load(file)


def part(wanted, message):
    found = message.get_body(preferencelist=(wanted,))
    return found.get_content() if found is not None else None


def as_read(raw):
    """What Python's own reader of mail makes of it."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    attachments = [
        {
            "name": attachment.get_filename(),
            "media_type": attachment.get_content_type(),
            "base64": base64.b64encode(attachment.get_payload(decode=True)).decode(),
        }
        for attachment in message.iter_attachments()
    ]
    return {
        "headers": [[name, str(value)] for name, value in message.items()],
        "text": part("plain", message),
        "html": part("html", message),
        "attachments": attachments,
        "defects": [str(defect) for piece in message.walk() for defect in piece.defects],
    }


class Keeper:
    """Answers as the behaviour says, and writes one file a mail."""

    def __init__(self):
        # A restarted server goes on counting.
        self.kept = sum(name.startswith("mail-") for name in os.listdir(folder))
        self.seen = set()
        self.connections = 0

    async def step(self, name):
        wait = behaviour()
        if wait["slow_step"] == name:
            await asyncio.sleep(wait["slow_ms"] / 1000)
        return wait["replies"].get(name)

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        reply = await self.step("mail")
        if reply:
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        reply = await self.step("rcpt")
        if reply:
            return reply
        rules = behaviour()
        if address in rules["recipients"]:
            return rules["recipients"][address]
        if rules["greylist"] and address not in self.seen:
            self.seen.add(address)
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        reply = await self.step("data")
        if reply:
            return reply
        self.kept += 1
        mail = as_read(envelope.original_content)
        mail.update(
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            encrypted=session.ssl is not None or options["tls"] == "implicit",
            user=session.auth_data,
            ehlo=session.host_name,
            connection=server.number,
            raw_base64=base64.b64encode(envelope.original_content).decode(),
        )
        path = os.path.join(folder, f"mail-{self.kept:06}.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(mail, file)
        os.rename(path + ".new", path)
        return f"250 kept as {self.kept}"


def authenticate(server, session, envelope, mechanism, data):
    given = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode())
    if given == (options["user"], options["password"]):
        return AuthResult(success=True, auth_data=options["user"])
    return AuthResult(success=False, handled=False)


async def end_with_input(loop):
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


async def main():
    loop = asyncio.get_running_loop()
    keeper = Keeper()

    def session():
        server = SMTP(
            keeper,
            hostname="sink.test",
            data_size_limit=32 * 1024 * 1024,
            enable_SMTPUTF8=options["smtputf8"],
            tls_context=context if options["tls"] == "starttls" else None,
            require_starttls=options["tls"] == "starttls",
            auth_required=options["user"] is not None,
            auth_require_tls=options["tls"] == "starttls",
            auth_exclude_mechanism=None if options["user"] is not None else ("LOGIN", "PLAIN"),
            authenticator=authenticate,
            loop=loop,
        )
        keeper.connections += 1
        server.number = keeper.connections
        return server

    implicit = context if options["tls"] == "implicit" else None
    await loop.create_server(session, "127.0.0.1", options["port"], ssl=implicit)
    print("ready", flush=True)
    await end_with_input(loop)


asyncio.run(main())
