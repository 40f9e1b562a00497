using System.Text.Json.Serialization;

namespace Crashcart.Cli.Docker;

/// <summary>What is needed of the Docker Engine's answer to <c>GET /containers/ID/json</c>.</summary>
internal sealed record ContainerInspection(string Id, string Name, ContainerState State, ContainerConfiguration? Config);

/// <param name="Pid">0 when it does not run.</param>
/// <param name="Status">created, running, paused, restarting, removing, exited, dead</param>
internal sealed record ContainerState(string Status, bool Running, int Pid);

/// <param name="Env">NAME=VALUE; null when the image sets none.</param>
internal sealed record ContainerConfiguration(IReadOnlyList<string>? Env);

/// <summary>How the Engine tells a failure.</summary>
internal sealed record DockerError([property: JsonPropertyName("message")] string? Message);

[JsonSerializable(typeof(ContainerInspection))]
[JsonSerializable(typeof(DockerError))]
internal sealed partial class DockerJson : JsonSerializerContext;
