using System.IO.Pipelines;
using Grpc.AspNetCore.Server;
using Grpc.Core;

namespace Crashcart.Coordinator.Limits;

/// <summary>
/// Every call comes through here before anything of it is read: so many of a user's at one time, and those that consist of one
/// message do not wait for it for ever. Calls that stay open wait for their first message themselves.
/// </summary>
internal sealed class CallGate(UserUsage usage)
{
    /// <summary>What a request of one message may have, in bytes: less than a stream's window, so that all of it comes without being taken.</summary>
    public const int MaxRequest = 256 << 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task Enter(HttpContext call, RequestDelegate next)
    {
        if (ConnectionRoom.Refusal(call) is { } tooManyConnections)
        {
            Refuse(call, StatusCode.ResourceExhausted, tooManyConnections);
            return;
        }

        using IDisposable? place = usage.Take(ConnectionRoom.UserOf(call), Limit.Calls, out string problem);
        if (place is null)
            Refuse(call, StatusCode.ResourceExhausted, problem);
        else if (!HasOneMessage(call) || await ComesAsync(call))
            await next(call);
    }

    private static bool HasOneMessage(HttpContext call) =>
        call.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.Type is MethodType.Unary or MethodType.ServerStreaming;

    private static async Task<bool> ComesAsync(HttpContext call)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(call.RequestAborted);
        patience.CancelAfter(Patience);
        PipeReader body = call.Request.BodyReader;
        try
        {
            while (true)
            {
                ReadResult read = await body.ReadAsync(patience.Token);
                long length = read.Buffer.Length;
                // It stays there for whoever answers the call.
                body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                if (length > MaxRequest)
                {
                    Refuse(call, StatusCode.ResourceExhausted, $"A request may have {MaxRequest} bytes, and this one has more.");
                    return false;
                }
                if (read.IsCompleted)
                    return true;
            }
        }
        catch (OperationCanceledException) when (!call.RequestAborted.IsCancellationRequested)
        {
            Refuse(call, StatusCode.DeadlineExceeded, $"The request did not come within {Patience.TotalSeconds:0} s.");
            return false;
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            return false;
        }
    }

    /// <summary>A gRPC response without a message.</summary>
    private static void Refuse(HttpContext call, StatusCode status, string sentence)
    {
        call.Response.ContentType = "application/grpc";
        call.Response.Headers["grpc-status"] = ((int)status).ToString(System.Globalization.CultureInfo.InvariantCulture);
        call.Response.Headers["grpc-message"] = Uri.EscapeDataString(sentence);
    }
}
