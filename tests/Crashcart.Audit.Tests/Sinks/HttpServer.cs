using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Crashcart.Audit.Tests.Sinks;

internal sealed record Post(string[] Lines, string Authorization, string Log, string ContentType);

/// <summary>A server on the loopback that is sent lines, and answers as it is told.</summary>
internal sealed class HttpServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Channel<Post> _posts = Channel.CreateUnbounded<Post>();
    private readonly WebApplication _server;

    private HttpServer(X509Certificate2? certificate)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null)
                listen.UseHttps(certificate);
        }));
        _server = builder.Build();
        _server.MapPost("/audit", TakeAsync);
    }

    /// <summary>What is answered; each answer is told of, with what was sent.</summary>
    public Func<Post, int> Answer { get; set; } = _ => StatusCodes.Status204NoContent;

    public Uri Address => new(_server.Urls.Single() + "/audit");

    public static async Task<HttpServer> StartAsync(X509Certificate2? certificate = null)
    {
        var server = new HttpServer(certificate);
        await server._server.StartAsync();
        return server;
    }

    public async Task<Post> NextAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        return await _posts.Reader.ReadAsync(patience.Token);
    }

    public async Task<List<string>> TakeAsync(int count)
    {
        var taken = new List<string>();
        while (taken.Count < count)
            taken.AddRange((await NextAsync()).Lines);
        return taken;
    }

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        string[] lines = (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var post = new Post(lines, context.Request.Headers.Authorization.ToString(), context.Request.Headers["Crashcart-Log"].ToString(), context.Request.ContentType ?? "");
        context.Response.StatusCode = Answer(post);
        await _posts.Writer.WriteAsync(post);
    }
}
