using Tmds.Linux;

namespace Crashcart.Native.Tests;

public sealed class FileTreeTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-tree-");
    private readonly FileTree _tree;

    public FileTreeTests()
    {
        Directory.CreateDirectory(Path.Combine(_directory.FullName, "tree"));
        File.WriteAllText(Path.Combine(_directory.FullName, "outside"), "");
        File.CreateSymbolicLink(Path.Combine(_directory.FullName, "tree/link"), "..");
        _tree = FileTree.Open(Path.Combine(_directory.FullName, "tree"));
    }

    public void Dispose()
    {
        _tree.Dispose();
        _directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("/outside")]
    [InlineData("link/outside")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("link/..")]
    public void No_path_leads_out(string name)
    {
        byte[] path = BytePath.Of(name), inside = BytePath.Of("inside");
        Action[] attempts =
        [
            () => _tree.CreateFile(path), () => _tree.MakeDirectory(path), () => _tree.MakeLink(path, inside), () => _tree.MakeHardLink(inside, path),
            () => _tree.MakeHardLink(path, inside), () => _tree.SetOwner(path, 0, 0), () => _tree.SetModified(path, default), () => _tree.ReadLink(path),
            () => _tree.Rename(path, _tree, inside), () => _tree.Remove(path),
        ];
        foreach (Action attempt in name.Length == 0 ? attempts[..^1] : attempts)
            Assert.Contains(Assert.Throws<SyscallException>(attempt).Errno, (int[])[LibC.EXDEV, LibC.ELOOP, LibC.ENOENT]);
        Assert.Equal(["outside", "tree"], _directory.GetFileSystemInfos().Select(entry => entry.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Links_are_not_followed()
    {
        byte[] link = BytePath.Of("link");
        Assert.Equal(LibC.EEXIST, Assert.Throws<SyscallException>(() => _tree.CreateFile(link)).Errno);
        Assert.Equal(LibC.ELOOP, Assert.Throws<SyscallException>(() => _tree.OpenFile(link)).Errno);
        Assert.Equal(LibC.ELOOP, Assert.Throws<SyscallException>(() => _tree.SetMode(link, 0)).Errno);
        Assert.Equal(LibC.ELOOP, Assert.Throws<SyscallException>(() => _tree.List(link)).Errno);
        Assert.Equal(TreeEntryKind.Link, _tree.Find(link)!.Value.Kind);
        _tree.Remove(link);
        Assert.True(File.Exists(Path.Combine(_directory.FullName, "outside")));
    }
}
