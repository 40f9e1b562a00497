namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A fleet's certificate authority, by <c>crashcart-coordinator ca</c>, and the identities that it issued.</summary>
/// <param name="directory">Where both are kept.</param>
internal sealed class Authority(string directory)
{
    public string Path => System.IO.Path.Combine(directory, "ca");

    /// <summary>The identity of that name.</summary>
    public string this[string name] => System.IO.Path.Combine(directory, name);

    public Task Init() => Ca("init");

    /// <param name="role">coordinator, node or user</param>
    /// <param name="host">By which it is dialled; none for users.</param>
    /// <param name="group">For users.</param>
    public Task Issue(string role, string name, string? host = null, string? group = null) => Ca(
    [
        "issue", role, name, "-o", this[name],
        .. host is null ? Array.Empty<string>() : ["--host", host],
        .. group is null ? Array.Empty<string>() : ["--group", group],
    ]);

    public async Task Revoke(string name)
    {
        using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificateFromFile(System.IO.Path.Combine(this[name], "tls.crt"));
        await Ca("revoke", certificate.SerialNumber);
    }

    /// <returns>What a host needs to become a node: <c>--token TOKEN --ca-hash HASH</c>.</returns>
    public async Task<string[]> Token() => (await Ca("token", "create")).Error.Trim().Split(' ')[^4..];

    private async Task<CommandResult> Ca(params string[] words)
    {
        var result = await new Command(Artifacts.Coordinator, ["ca", .. words, "--ca-dir", Path]).Run();
        Assert.True(result.ExitCode == 0, result.Error);
        return result;
    }
}
