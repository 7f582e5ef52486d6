"""`Emulator`: DNS, front doors and CONNECT proxy of one resource, in a thread of their own."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Self

from ._dns import DnsServer
from ._doors import FrontDoors, Request, tls_context
from ._names import Names, State
from ._proxy import ConnectProxy
from ._service import Generation, Secrets, Service

_REMEMBERED_REQUESTS = 10_000
_SETTINGS = ("SPEECH_", "AZURE_SPEECH_")
_PROXIES = ("https_proxy", "no_proxy")
_RESOURCE_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-group"
    "/providers/Microsoft.CognitiveServices/accounts/my-private-link-speech"
)


class Emulator:
    """Azure Speech on loopback, for one resource in one of three network states.

    Speaks as one of three generations of the service, see `Generation`.

    Serves the Speech SDK, and REST: voices, text to speech, short audio, base models, tokens.

    A context manager: leaving it stops everything and removes the temporary certificate
    authority. Listens on loopback only unless told otherwise, and connects to nothing.

    Args:
        state: the state to start in; assign `state`, or `dns_state` and `service_state`, to change
            it while it runs.
        custom_domain: the resource's custom domain, of any of the three Azure clouds.
        region: the resource's region.
        key: the resource key that is accepted; default: a new random one.
        resource_id: the resource's id, which goes with tokens to the region.
        generation: how the service treats a resource without private endpoints.
        redirect_status: 301, 307 or 308: how the custom domain redirects where the generation does.
        dns_ttl: time to live of every DNS answer, seconds.
        issuer: the organisation in the name of the certificate authority; one that is not Azure's
            stands for a proxy that opens TLS.
        expires: until when the front doors' certificate is valid; default: for long.

    Attributes:
        clock_skew: seconds by which the front doors' clock is ahead.
        dns_answers: what DNS says instead, by name: the names that follow it, and its address at
            the end; without an address the last name does not exist.
        address: the IPv4 address to listen on.
        dns_port, https_port, proxy_port: 0 means any free port.
    """

    def __init__(
        self,
        state: State | str = State.VNET,
        *,
        custom_domain: str = "my-private-link-speech.cognitiveservices.azure.com",
        region: str = "westeurope",
        key: str | None = None,
        resource_id: str = _RESOURCE_ID,
        generation: Generation | str = Generation.Y2024,
        redirect_status: int = 301,
        dns_ttl: int = 5,
        issuer: str = "Microsoft Corporation",
        expires: datetime | None = None,
        address: str = "127.0.0.1",
        dns_port: int = 0,
        https_port: int = 0,
        proxy_port: int = 0,
    ) -> None:
        self._names = Names(custom_domain.lower(), region)
        self._dns_state = State(state)
        self._service = Service(
            self._names,
            Secrets(key or secrets.token_hex(16), resource_id),
            self._dns_state,
            Generation(generation),
            redirect_status,
        )
        self._dns_ttl = dns_ttl
        self._issuer, self._expires = issuer, expires
        self.clock_skew = 0.0
        self.dns_answers: dict[str, tuple[str, ...]] = {}
        self._address = address
        self._ports = dns_port, https_port, proxy_port
        self._requests: deque[Request] = deque(maxlen=_REMEMBERED_REQUESTS)
        self._tunnels: deque[str] = deque(maxlen=_REMEMBERED_REQUESTS)
        self._texts: deque[str] = deque()
        self._doors: FrontDoors | None = None
        self._exit = contextlib.ExitStack()

    @property
    def state(self) -> State:
        """The state of DNS and service; reading it gives that of the service."""
        return self.service_state

    @state.setter
    def state(self, state: State | str) -> None:
        self.dns_state = self.service_state = State(state)

    @property
    def dns_state(self) -> State:
        """What DNS says. Around a change it may be ahead of the service, or behind."""
        return self._dns_state

    @dns_state.setter
    def dns_state(self, state: State | str) -> None:
        self._dns_state = State(state)

    @property
    def service_state(self) -> State:
        """Which doors the service opens. Changing it cuts connections through the others."""
        return self._service.state

    @service_state.setter
    def service_state(self, state: State | str) -> None:
        self._service.state = State(state)
        if self._doors:
            self._doors.cut_wrong()

    @property
    def generation(self) -> Generation:
        """How the service treats a resource without private endpoints; assign it at any time."""
        return self._service.generation

    @generation.setter
    def generation(self, generation: Generation | str) -> None:
        self._service.generation = Generation(generation)

    @property
    def public_access(self) -> bool:
        """Whether the VNet proxy lets anybody in, and whether tokens are issued; else 403."""
        return self._service.public_access

    @public_access.setter
    def public_access(self, is_open: bool) -> None:
        self._service.public_access = is_open

    def fail_with(self, status: int | None) -> None:
        """Answer every request with this HTTP status from now on; None: as the state says."""
        self._service.failure = status

    def say(self, text: str) -> None:
        """Make this the text of the next final phrase, of whichever recognition has it first.

        Each call is for one more phrase, in order, from any thread. Translations put their
        language before it (``[de] ...``). Hypotheses stay as they are, and so does every phrase
        for which there is no text left: it tells the door and the seconds of audio.
        """
        self._texts.append(text)

    @property
    def key(self) -> str:
        """The resource key that the front doors accept."""
        return self._service.secrets.key

    @key.setter
    def key(self, key: str) -> None:
        self._service.secrets.key = key

    @property
    def resource_id(self) -> str:
        """The id that a token to the region has to be given with."""
        return self._service.secrets.resource_id

    @property
    def tokens(self) -> set[str]:
        """The Microsoft Entra tokens that the front doors accept; add yours."""
        return self._service.secrets.tokens

    @property
    def custom_domain(self) -> str:
        return self._names.custom_domain

    @property
    def region(self) -> str:
        return self._names.region

    @property
    def requests(self) -> tuple[Request, ...]:
        """What reached the front doors, oldest first (the last 10,000)."""
        return tuple(self._requests)

    @property
    def tunnels(self) -> tuple[str, ...]:
        """``host:port`` of what the CONNECT proxy was asked for, refused or not, oldest first."""
        return tuple(self._tunnels)

    @property
    def dns_server(self) -> str:
        """``address:port`` of the DNS server, UDP and TCP."""
        return f"{self._address}:{self._ports[0]}"

    @property
    def proxy_url(self) -> str:
        """The CONNECT proxy, with a switch for other processes.

        ``PUT {proxy_url}/state`` switches the state, and so do ``dns_state`` and
        ``service_state`` for one part of it.
        """
        return f"http://{self._address}:{self._ports[2]}"

    @property
    def ca_file(self) -> Path:
        """The certificate authority (PEM) that signed the front doors' certificate."""
        return self._ca_file

    @property
    def environment(self) -> dict[str, str]:
        """The variables under which an unmodified program talks to this emulator.

        ``SSL_CERT_FILE`` must be set before the program starts: OpenSSL reads it once. The
        library requests reads ``REQUESTS_CA_BUNDLE`` instead (measured), which is not set here.
        Servers of this machine are reached without the proxy.
        """
        return {
            "SPEECH_KEY": self.key,
            "SPEECH_ENDPOINT": self.custom_domain,
            "SPEECH_DNS_SERVERS": self.dns_server,
            "SPEECH_PROXY": self.proxy_url,
            "HTTPS_PROXY": self.proxy_url,
            # urllib needs [::1] for an address in a URL; httpx (0.28) cannot read that.
            "NO_PROXY": f"localhost,127.0.0.1,::1,{socket.gethostname()}",
            "SSL_CERT_FILE": str(self.ca_file),
        }

    def environment_over(self, environment: Mapping[str, str]) -> dict[str, str]:
        """An environment with these variables, and with no other Speech settings and proxies."""
        kept = {
            name: value
            for name, value in environment.items()
            if not name.upper().startswith(_SETTINGS) and name.lower() not in _PROXIES
        }
        return {**kept, **self.environment}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="speechroute-")))
            self._ca_file = folder / "ca.pem"
            hosts = sorted(self._names.hosts)
            context = tls_context(hosts, self._ca_file, self._issuer, self._expires)
            stack.enter_context(self._running(context))
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._exit.close()

    @contextlib.contextmanager
    def _running(self, context: ssl.SSLContext) -> Iterator[None]:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="speechroute-emulator", daemon=True)
        thread.start()
        servers = contextlib.AsyncExitStack()
        try:
            asyncio.run_coroutine_threadsafe(self._start(servers, context), loop).result()
            yield
        finally:
            self._doors = None
            asyncio.run_coroutine_threadsafe(servers.aclose(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _start(self, servers: contextlib.AsyncExitStack, context: ssl.SSLContext) -> None:
        dns_port, https_port, proxy_port = self._ports
        dns = DnsServer(self._names, lambda: self._dns_state, self._dns_ttl, self.dns_answers)
        servers.push_async_callback(dns.stop)
        dns_port = await dns.start(self._address, dns_port)
        doors = FrontDoors(
            self._service,
            self._requests.append,
            clock_skew=lambda: self.clock_skew,
            texts=self._texts,
        )
        servers.push_async_callback(doors.stop)
        self._doors = doors
        https_port = await doors.start(self._address, https_port, context)
        proxy = ConnectProxy(
            self._names,
            (self._address, https_port),
            lambda part: getattr(self, part),
            lambda part, state: setattr(self, part, state),
            self._tunnels.append,
        )
        servers.push_async_callback(proxy.stop)
        self._ports = dns_port, https_port, await proxy.start(self._address, proxy_port)
