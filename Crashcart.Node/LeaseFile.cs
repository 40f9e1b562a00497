using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Crashcart.Actors;
using Crashcart.Actors.Node.People;
using Crashcart.Actors.Node.Ports;
using Crashcart.Native;
using Crashcart.Node.Kernel;
using Microsoft.Extensions.Logging;
using FoundMount = Crashcart.Actors.Node.Ports.FoundMount;
using MountPath = Crashcart.Actors.MountPath;

namespace Crashcart.Node;

/// <summary>
/// The leases that people hold, in a file of the node's state directory. A file that cannot be understood is put aside under
/// another name, for a person to look at; the mounts that it told of are found in the kernel.
/// </summary>
internal sealed class LeaseFile(KernelCalls kernel, string directory, TimeProvider time, ILogger log) : ILeaseStore
{
    private const int Version = 1;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    private readonly string _path = Path.Combine(directory, "leases.json");

    public Task<IReadOnlyList<MountLease>> ReadAsync(CancellationToken cancellation) => kernel.RunAsync(Read, cancellation);

    public Task WriteAsync(IReadOnlyList<MountLease> leases, CancellationToken cancellation) => kernel.RunAsync(
        () =>
        {
            // A node that never held anything leaves no file.
            if (leases.Count == 0 && !File.Exists(_path))
                return true;
            Directory.CreateDirectory(directory);
            DurableFile.Replace(_path, JsonSerializer.SerializeToUtf8Bytes(new Contents(Version, BootId(), [.. leases.Select(Row.Of)]), Json));
            return true;
        },
        cancellation);

    private IReadOnlyList<MountLease> Read()
    {
        byte[] bytes;
        try
        {
            DurableFile.ClearAway(directory);
            bytes = File.ReadAllBytes(_path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }

        try
        {
            var version = JsonSerializer.Deserialize<JsonElement>(bytes).GetProperty("version").GetInt32();
            if (version != Version)
                throw new JsonException($"It is of version {version}, and this program knows version {Version}.");
            var contents = JsonSerializer.Deserialize<Contents>(bytes, Json)!;
            // No mount survives the kernel, and its numbers begin anew.
            return contents.Boot == BootId() ? [.. contents.Leases.Select(row => row.Lease())] : [];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            PutAside(e.Message);
            return [];
        }
    }

    private void PutAside(string problem)
    {
        var aside = string.Create(CultureInfo.InvariantCulture, $"{_path}.bad-{time.GetUtcNow():yyyyMMdd'T'HHmmss'.'fff}Z");
        try
        {
            File.Move(_path, aside, overwrite: true);
            NodeLog.PutLeasesAside(log, _path, problem, aside);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NodeLog.CannotPutLeasesAside(log, _path, problem, e.Message);
        }
    }

    private static string BootId() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    private sealed record Contents(int Version, string Boot, IReadOnlyList<Row> Leases);

    private sealed record Row(
        string Id,
        string Container,
        string ContainerName,
        int Pid,
        ulong StartTime,
        int MountId,
        string LoopDevice,
        string ImageKey,
        string Image,
        string Holder,
        long SinceUnixMs,
        string ImageDigest = "",
        string Path = "")
    {
        public static Row Of(MountLease lease) => new(
            lease.Id.Value,
            lease.Mount.Container.Value,
            lease.ContainerName,
            lease.Mount.Pid,
            lease.Mount.StartTime,
            lease.Mount.MountId,
            lease.Mount.LoopDevice,
            lease.Mount.ImageKey,
            lease.Mount.ImagePath,
            lease.Holder,
            lease.SinceUnixMs,
            lease.ImageDigest,
            lease.Mount.At.ToString());

        public MountLease Lease() => new(
            new LeaseId(Id),
            new FoundMount(new ContainerId(Container), Pid, StartTime, MountId, LoopDevice, ImageKey, Image, new MountPath(Path), MadeBySessions: false),
            ContainerName,
            Holder,
            SinceUnixMs,
            ImageDigest);
    }
}
