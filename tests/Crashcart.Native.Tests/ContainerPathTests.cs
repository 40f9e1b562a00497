namespace Crashcart.Native.Tests;

public sealed class ContainerPathTests
{
    private const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const string Inner = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

    [Theory]
    [InlineData("12:memory:/docker/ID")]
    [InlineData("0::/system.slice/docker-ID.scope")]
    [InlineData("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1d2c.slice/cri-containerd-ID.scope")]
    [InlineData("0::/system.slice/containerd.service/kubepods-besteffort-pod1d2c.slice:cri-containerd:ID")]
    [InlineData("3:pids:/kubepods/besteffort/pod52c4f0cb-8a52-4b5c-9d2e-6ce1bd8ae9b1/ID")]
    [InlineData("0::/kubepods.slice/crio-ID.scope/container")]
    [InlineData("0::/machine.slice/libpod-ID.scope/container")]
    [InlineData("0::/../../docker/ID")]
    public void The_id_is_found_in_every_runtimes_path(string line) =>
        Assert.Equal(Id, ContainerPath.Innermost("1:name=systemd:/\n" + line.Replace("ID", Id, StringComparison.Ordinal) + "\n"));

    [Fact]
    public void Of_nested_containers_the_inner_one_is_meant() =>
        Assert.Equal(Inner, ContainerPath.Innermost($"0::/docker/{Id}/docker/{Inner}\n"));

    [Theory]
    [InlineData("0::/user.slice/user-0.slice")]
    [InlineData("0::/docker/0123456789ab")]
    [InlineData("0::/docker/xID")]
    [InlineData("0::/crashcart/session/ID")]
    [InlineData("")]
    public void Other_paths_name_no_container(string line) =>
        Assert.Null(ContainerPath.Innermost(line.Replace("ID", Id, StringComparison.Ordinal)));

    [Theory]
    [InlineData("/var/lib/docker/containers/ID/hostname", "/etc/hostname", true)]
    [InlineData("/containers/storage/overlay-containers/ID/userdata/resolv.conf", "/etc/resolv.conf", true)]
    [InlineData("/var/lib/docker/containers/ID/hostname", "/mnt", false)]
    public void A_container_whose_cgroup_tells_nothing_is_known_by_its_mounts(string root, string mountPoint, bool known)
    {
        MountInfo mount = MountInfo.Parse($"1 2 8:1 {root.Replace("ID", Id, StringComparison.Ordinal)} {mountPoint} rw - ext4 /dev/sda1 rw");
        Assert.Equal(known ? Id : null, ContainerPath.IdByMounts([mount]));
    }
}
