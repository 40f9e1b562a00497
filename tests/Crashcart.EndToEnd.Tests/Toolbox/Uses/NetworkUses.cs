namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>Looking at the network, and at servers in it.</summary>
internal static class NetworkUses
{
    public static readonly IReadOnlyList<Use> All =
    [
        new("ip", "ip -brief address", "lo", "127.0.0.1/8"),
        new("ip", "ip route get 127.0.0.1", "local 127.0.0.1 dev lo"),
        new("bridge", "bridge -s link"),
        new("tc", "tc -s qdisc show dev lo", "qdisc noqueue"),
        new("ss", "ss -ltnp sport = :8080", "127.0.0.1:8080", "app"),
        new("nstat", "nstat -az", "IpInReceives"),
        new("ifconfig", "ifconfig lo", "127.0.0.1"),
        new("route", "route -n", "Kernel IP routing table"),
        new("arp", "arp -n", ""),
        new("netstat", "netstat -ltnp", "127.0.0.1:8080", "1/app"),
        new("ethtool", "ethtool -k lo", "tcp-segmentation-offload: on"),
        new("ping", "ping -c 1 service.test", "1 received"),
        new("tracepath", "tracepath -n 127.0.0.1", "127.0.0.1"),
        new("mtr", "mtr --report --report-cycles 1 --no-dns 127.0.0.1", "127.0.0.1", " 0.0% "),
        new("mtr-packet", "mtr-packet", "1 reply ip-4 127.0.0.1") { Input = "1 send-probe ip-4 127.0.0.1\n" },
        new("dig", "dig @127.0.0.1 +short service.test", "127.0.0.1\n"),
        new("dig", "dig service.test txt", "\"all is well\"", "SERVER: 127.0.0.1#53"),
        new("dig", "dig no-such-name.test", "NXDOMAIN"),
        new("host", "host 192.0.2.7", "7.2.0.192.in-addr.arpa domain name pointer far.test."),
        new("nslookup", "nslookup far.test", "192.0.2.7"),
        new("nsupdate", "nsupdate", "x.service.test.", "192.0.2.8")
        {
            Input = "server 127.0.0.1\nzone service.test\nupdate add x.service.test 60 A 192.0.2.8\nshow\nquit\n",
        },
        new("curl", "curl -sS http://service.test:8080/", "healthy"),
        new("curl", "curl -sS --cacert /lab/ca.pem https://service.test:7443/hello", "hello from the lab"),
        new("curl", "curl -sS https://service.test:7443/hello", "SSL certificate problem") { Status = 60 },
        new("wget", "wget -qO- --ca-certificate=/lab/ca.pem https://localhost:7443/hello", "hello from the lab"),
        new("openssl", "openssl s_client -connect localhost:7443 -CAfile /lab/ca.pem", "Verify return code: 0 (ok)"),
        new("openssl", "openssl x509 -in /lab/server.pem -noout -subject -nameopt RFC2253", "CN=service.test"),
        new("nc", "nc -N 127.0.0.1 8080", "healthy") { Input = "GET / HTTP/1.0\r\n\r\n" },
        new("nc", "(echo sent | nc -N -l 127.0.0.1 7301) & until ss -Hltn sport = :7301 | grep -q .; do sleep 0.02; done; nc -d 127.0.0.1 7301", "sent"),
        new("socat", "socat - TCP:127.0.0.1:8080", "healthy") { Input = "GET / HTTP/1.0\r\n\r\n" },
        new("socat", "socat OPENSSL:localhost:7443,cafile=/lab/ca.pem -", "hello from the lab") { Input = "GET /hello HTTP/1.0\r\n\r\n" },
        new("iperf3", "iperf3 -c 127.0.0.1 -p 7201 -t 1", "receiver"),
        new("nmap", "nmap -n -p 8080 127.0.0.1", "8080/tcp open"),
        new("nmap", "nmap -n -sT -p 8080 --script http-headers 127.0.0.1", "Content-Length: 8"),
        new("nping", "nping --tcp -p 8080 -c 1 127.0.0.1", "Lost: 0"),
        new("tcpdump", "tcpdump -c 3 -n -i lo tcp port 8080", "127.0.0.1.8080", "3 packets captured"),
        new("tcpdump", "tcpdump -c 3 -n -i lo -w packets tcp port 8080 && tcpdump -n -r packets", "127.0.0.1.8080"),
        new("rsync", "rsync -a --stats /lab/hello copy/ && cat copy/hello", "Number of regular files transferred: 1", "hello from the lab"),
        new("git", "git init -q r && cd r && echo 1 >f && git add f && git -c user.name=n -c user.email=n@test commit -qm first"
            + " && git status --short && git show && git clone -q file://$PWD ../c && git -C ../c log --oneline",
            "first"),
        new("git", "cp /lab/hello a && echo other >b && git diff --no-index a b", "-hello from the lab", "+other") { Status = 1 },
        new("git", "git -c http.sslCAInfo=/lab/ca.pem ls-remote https://localhost:7443/none", "is this a git repository?") { Status = 128 },
        new("git", "git ls-remote https://localhost:7443/none", "certificate") { Status = 128 },
    ];
}
