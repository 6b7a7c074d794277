"""Every call that the published client toxiproxy-python offers, against the API at the port given as argument.

Unmodified client; ends with status 0 when all of them did what the client promises.
"""

import socket
import sys
import time

from toxiproxy import Toxiproxy
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists


def upstream():
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, "127.0.0.1:%d" % listener.getsockname()[1]


def refuses(call, kind):
    try:
        call()
    except kind:
        return
    raise AssertionError("%s was not raised" % kind)


def exchange(listener, proxy):
    host, port = proxy.listen.rsplit(":", 1)
    client = socket.create_connection((host, int(port)), timeout=10)
    server, _ = listener.accept()
    began = time.monotonic()
    client.sendall(b"ask")
    assert server.recv(16) == b"ask"
    server.sendall(b"answer")
    assert client.recv(16) == b"answer"
    client.close()
    server.close()
    return time.monotonic() - began


def main(port):
    toxiproxy = Toxiproxy()
    toxiproxy.update_api_consumer("127.0.0.1", port)
    listener, to = upstream()
    assert toxiproxy.running()
    assert b"2.12.0" in toxiproxy.version()
    proxy = toxiproxy.create(name="db", upstream=to)
    assert proxy.enabled and proxy.upstream == to and not proxy.listen.endswith(":0")
    refuses(lambda: toxiproxy.create(name="db", upstream=to), ProxyExists)
    assert list(toxiproxy.proxies()) == ["db"]
    assert toxiproxy.get_proxy("db").listen == proxy.listen and toxiproxy.get_proxy("none") is None
    exchange(listener, proxy)

    proxy.add_toxic(type="latency", attributes={"latency": 150, "jitter": 10})
    assert exchange(listener, proxy) >= 0.14
    toxic = proxy.get_toxic("latency_downstream")
    assert (toxic.type, toxic.stream, toxic.toxicity) == ("latency", "downstream", 1.0)
    assert toxic.attributes == {"latency": 150, "jitter": 10}
    refuses(lambda: proxy.add_toxic(type="latency"), ProxyExists)
    refuses(lambda: proxy.add_toxic(type="nonsense"), InvalidToxic)
    for kind, attributes in [
        ("bandwidth", {"rate": 1000}),
        ("slow_close", {"delay": 1}),
        ("timeout", {"timeout": 0}),
        ("slicer", {"average_size": 64, "size_variation": 32, "delay": 10}),
        ("limit_data", {"bytes": 1000}),
        ("reset_peer", {"timeout": 1000}),
        ("noop", {}),
    ]:
        proxy.add_toxic(type=kind, stream="upstream", name="one", toxicity=0.5, attributes=attributes)
        assert proxy.toxics()["one"].attributes == attributes
        assert proxy.destroy_toxic("one")
    refuses(lambda: proxy.destroy_toxic("one"), NotFound)

    with proxy.down():
        host, at = proxy.listen.rsplit(":", 1)
        try:
            socket.create_connection((host, int(at)), timeout=5)
        except ConnectionRefusedError:
            pass
        else:
            raise AssertionError("a proxy that is down accepted")
    assert exchange(listener, proxy) >= 0.14, "toxics survive being down"
    assert toxiproxy.reset()
    assert proxy.toxics() == {} and exchange(listener, proxy) < 0.14

    again = [{"name": "db", "upstream": to, "listen": proxy.listen}, {"name": "more", "upstream": to}]
    assert [one.name for one in toxiproxy.populate(again)] == ["more"]
    toxiproxy.destroy_all()
    assert toxiproxy.proxies() == {}
    refuses(proxy.destroy, NotFound)


main(int(sys.argv[1]))
