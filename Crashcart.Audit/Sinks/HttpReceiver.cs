using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Crashcart.Audit.Sinks;

/// <param name="Address">https, or http on the loopback.</param>
/// <param name="TokenFile">What it holds is shown as a bearer token; null: none is.</param>
/// <param name="AuthorityFile">Certificates in PEM that are trusted instead of the system's; null: the system's are.</param>
public sealed record HttpSinkSettings(Uri Address, string? TokenFile = null, string? AuthorityFile = null)
{
    /// <summary>What is wrong with the token's file; empty when nothing is.</summary>
    public string TokenProblem => TokenFile is { } file ? Problem(() => HttpReceiver.ReadToken(file)) : "";

    /// <summary>What is wrong with the authority's file; empty when nothing is.</summary>
    public string AuthorityProblem => AuthorityFile is { } file ? Problem(() => HttpReceiver.ReadAuthority(file)) : "";

    private static string Problem(Action read)
    {
        try
        {
            read();
            return "";
        }
        catch (ReceiverException e)
        {
            return e.Message;
        }
    }
}

/// <summary>A server that takes lines as they are, NDJSON by POST. It has them when it answers 2xx.</summary>
/// <param name="source">Which log it is, among all that the receiver gets.</param>
internal sealed class HttpReceiver(HttpSinkSettings settings, string source) : IAuditReceiver
{
    private const int LongestToken = 16 << 10;
    private const UnixFileMode OthersToo = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private HttpClient? _client;
    private int _most = int.MaxValue;

    public string Name => "http";

    public string Place => settings.Address.GetLeftPart(UriPartial.Path);

    public async Task SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> lines, CancellationToken stop)
    {
        try
        {
            _client ??= Client();
            for (int sent = 0; sent < lines.Count;)
            {
                int count = Math.Min(_most, lines.Count - sent);
                using HttpRequestMessage request = Request([.. lines.Skip(sent).Take(count)]);
                using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
                if (response.StatusCode == HttpStatusCode.RequestEntityTooLarge && count > 1)
                    _most = count / 2;
                else if (response.IsSuccessStatusCode)
                    sent += count;
                else
                    throw new ReceiverException(string.Create(CultureInfo.InvariantCulture, $"it answers with status {(int)response.StatusCode}"));
            }
        }
        catch (HttpRequestException e)
        {
            // Another certificate may be trusted by the next time.
            Dispose();
            throw new ReceiverException(e.GetBaseException().Message, e);
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            Dispose();
            throw new ReceiverException($"there is no answer within {Patience.TotalSeconds} s", e);
        }
    }

    public void Dispose()
    {
        _client?.Dispose();
        _client = null;
    }

    /// <summary>What a file holds that is its owner's alone.</summary>
    /// <exception cref="ReceiverException">It is not, or cannot be read, or holds no token.</exception>
    public static string ReadToken(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            if ((File.GetUnixFileMode(file.SafeFileHandle) & OthersToo) != 0)
                throw new ReceiverException($"the token in {path} can be read or written by others than its owner: run 'chmod 600 {path}', and use another one if anybody may have read it");
            using var reader = new StreamReader(file);
            char[] text = new char[LongestToken + 1];
            string token = new string(text, 0, reader.ReadBlock(text)).Trim();
            return token.Length is > 0 and <= LongestToken && token.All(c => c is > ' ' and <= '~')
                ? token
                : throw new ReceiverException($"{path} holds no token: one line without spaces");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ReceiverException($"the token cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>The certificates in a file.</summary>
    /// <exception cref="ReceiverException">It cannot be read, or there are none.</exception>
    public static X509Certificate2Collection ReadAuthority(string path)
    {
        try
        {
            var authority = new X509Certificate2Collection();
            authority.ImportFromPemFile(path);
            return authority.Count > 0 ? authority : throw new ReceiverException($"there is no certificate in {path}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ReceiverException($"the certificates in {path} cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }

    private HttpRequestMessage Request(IReadOnlyList<ReadOnlyMemory<byte>> lines)
    {
        byte[] body = new byte[lines.Sum(line => line.Length + 1)];
        int at = 0;
        foreach (ReadOnlyMemory<byte> line in lines)
        {
            line.CopyTo(body.AsMemory(at));
            body[at + line.Length] = AuditLine.End;
            at += line.Length + 1;
        }
        var request = new HttpRequestMessage(HttpMethod.Post, settings.Address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        request.Headers.Add("Crashcart-Log", source);
        // Read each time: a new one needs no restart.
        if (settings.TokenFile is { } file)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", ReadToken(file));
        return request;
    }

    private HttpClient Client()
    {
        var tls = new SslClientAuthenticationOptions();
        if (settings.AuthorityFile is { } file)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(ReadAuthority(file));
        }
        var handler = new SocketsHttpHandler
        {
            // What is written down here goes nowhere else because somebody says so.
            AllowAutoRedirect = false,
            UseProxy = !settings.Address.IsLoopback,
            UseCookies = false,
            ConnectTimeout = ConnectPatience,
            SslOptions = tls,
        };
        return new HttpClient(handler) { Timeout = Patience };
    }
}
