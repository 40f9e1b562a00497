using System.Buffers.Binary;
using Crashcart.Api;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Crashcart.Cli.Tests.Program;

/// <summary>
/// A coordinator that says what a test has it say: gRPC by hand (each message behind a byte and its length, the status in a
/// trailer), as the program's own assembly has the client's half only.
/// </summary>
internal sealed class FakeCoordinator : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("crashcart-cli-").FullName;
    private readonly WebApplication _server;

    private FakeCoordinator(Func<Conversation, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ListenUnixSocket(Path.Combine(_directory, "s"), socket => socket.Protocols = HttpProtocols.Http2));
        _server = builder.Build();
        _server.Run(async context =>
        {
            context.Response.ContentType = "application/grpc";
            var conversation = new Conversation(context);
            try
            {
                await answer(conversation);
            }
            finally
            {
                Ended.TrySetResult();
            }

            context.Response.AppendTrailer("grpc-status", conversation.Status);
            context.Response.AppendTrailer("grpc-message", conversation.Message);
        });
    }

    /// <summary>Completes when the first call is over.</summary>
    public TaskCompletionSource Ended { get; } = new();

    public string Address => $"unix://{_directory}/s";

    public static async Task<FakeCoordinator> StartAsync(Func<Conversation, Task> answer)
    {
        var coordinator = new FakeCoordinator(answer);
        await coordinator._server.StartAsync();
        return coordinator;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    internal sealed class Conversation(HttpContext context)
    {
        public string Method => context.Request.Path.Value!.Split('/')[^1];

        public string Status { get; set; } = "0";

        public string Message { get; set; } = "";

        /// <summary>The client has gone.</summary>
        public CancellationToken Gone => context.RequestAborted;

        public async Task SendAsync(IMessage message)
        {
            var frame = new byte[5 + message.CalculateSize()];
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - 5);
            message.WriteTo(frame.AsSpan(5));
            await context.Response.Body.WriteAsync(frame);
            await context.Response.Body.FlushAsync();
        }

        public async Task<T> ReceiveAsync<T>()
            where T : IMessage<T>, new()
        {
            var head = new byte[5];
            await context.Request.Body.ReadExactlyAsync(head);
            var body = new byte[BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
            await context.Request.Body.ReadExactlyAsync(body);
            return new MessageParser<T>(() => new T()).ParseFrom(body);
        }

        public Task<RunInput> ReceiveAsync() => ReceiveAsync<RunInput>();

        /// <summary>Begins a run in containers named c0, c1… of the node n.</summary>
        public Task StartAsync(int targets) => SendAsync(new RunEvent
        {
            Started = new RunStarted { RunId = "r", Targets = { Enumerable.Range(0, targets).Select(i => new Container { Node = "n", Name = $"c{i}" }) } },
        });

        public Task PrintAsync(uint target, byte[] data, bool stderr = false) =>
            SendAsync(new RunEvent { Output = new Api.Output { Target = target, Stderr = stderr, Data = ByteString.CopyFrom(data) } });

        public Task ExitAsync(uint target, int code) =>
            SendAsync(new RunEvent { SessionEnded = new SessionEnded { Target = target, ExitCode = code } });

        public Task EndAsync() => SendAsync(new RunEvent { Ended = new RunEnded() });
    }
}
