using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Crashcart.Coordinator.Hosting;

/// <summary>What all of a coordinator's servers have in common.</summary>
internal static class GrpcServer
{
    /// <param name="maxMessage">Bytes that one message may have.</param>
    /// <param name="listen">Where, and with what limits.</param>
    public static WebApplicationBuilder Builder(ILoggerFactory logs, int maxMessage, Action<KestrelServerOptions> listen)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton<IHostLifetime, OwnLifetime>();
        builder.Services.AddGrpc(options =>
        {
            options.Interceptors.Add<MessageInterceptor>();
            options.MaxReceiveMessageSize = maxMessage;
            options.EnableDetailedErrors = false;
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            listen(kestrel);
        });
        return builder;
    }
}
