"""An HTTPS server that signs clients in with pyspnego, an NTLM acceptor that nobody here wrote.

Usage: server.py CERTIFICATE KEY HASH OFFERED UPSTREAM_PORT UPSTREAM_AUTHORIZATION

HASH is the hash function of the certificate's signature, OFFERED a list of schemes with commas, and
NTLM_USER_FILE names the accounts. A connection that is signed in has its requests passed on to the
server on the upstream port. The first line of the output is the port; then a line for each sign-in
says what the client's last message held. Other things that a client must not do end in 400.
"""

import base64
import hashlib
import http.client
import http.server
import ssl
import sys

import spnego
from spnego._ntlm_raw.messages import Authenticate, AvFlags, AvId, NTClientChallengeV2
from spnego.channel_bindings import GssChannelBindings

certificate, key, hash_name, offered, upstream_port, upstream_authorization = sys.argv[1:]

with open(certificate) as file:
    der = ssl.PEM_cert_to_DER_cert(file.read())
bindings = GssChannelBindings(
    application_data=b"tls-server-end-point:" + hashlib.new(hash_name, der).digest()
)


def say(text):
    print(text, flush=True)


def described(token):
    message = Authenticate.unpack(token)
    response = message.nt_challenge_response or b""
    blob = NTClientChallengeV2.unpack(response[16:])
    pairs = blob.av_pairs
    bound = pairs.get(AvId.channel_bindings) == hashlib.md5(bindings.pack()).digest()
    code = bool(pairs.get(AvId.flags, 0) & AvFlags.mic) and message.mic != b"\x00" * 16
    no_lm = message.lm_challenge_response in (None, b"\x00" * 24)
    name = pairs.get(AvId.target_name)
    return f"bound={bound} code={code} no_lm={no_lm} service={name}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One handler serves one connection, to which a sign-in belongs.
    context = None

    def log_message(self, *arguments):
        pass

    def answer(self, status, headers=(), body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def offer(self):
        self.answer(401, [("WWW-Authenticate", scheme) for scheme in offered.split(",")])

    def do_GET(self):
        self.offer()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme:
            if not self.step(scheme, base64.b64decode(token), body):
                return
        elif not (self.context and self.context.complete):
            return self.offer()
        self.pass_on(body)

    def step(self, scheme, token, body):
        if token[8] == 1:
            if body:
                say("a body came with the first message")
            self.context = spnego.server(protocol=scheme.lower(), channel_bindings=bindings)
        try:
            reply = self.context.step(token)
        except Exception as error:
            say(f"refused {type(error).__name__}")
            self.context = None
            self.offer()
            return False
        if self.context.complete:
            say(f"signed in {self.context.client_principal} {described(token)}")
            return True
        challenge = f"{scheme} {base64.b64encode(reply).decode()}"
        self.answer(401, [("WWW-Authenticate", challenge)], b"<html>not yet</html>")
        return False

    def pass_on(self, body):
        upstream = http.client.HTTPConnection("127.0.0.1", int(upstream_port))
        headers = {"Authorization": upstream_authorization}
        headers["Content-Type"] = self.headers["Content-Type"]
        upstream.request("POST", self.path, body, headers)
        reply = upstream.getresponse()
        self.answer(reply.status, [("Content-Type", "text/xml; charset=utf-8")], reply.read())


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
say(server.server_port)
server.serve_forever()
