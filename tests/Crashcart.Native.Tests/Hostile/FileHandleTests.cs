namespace Crashcart.Native.Tests.Hostile;

public sealed class FileHandleTests
{
    [Theory]
    [InlineData("debug", "-dac_read_search", false)]
    [InlineData("restricted", "-dac_read_search", false)]
    [InlineData("debug", null, true)]
    [InlineData("privileged", "-dac_read_search", true)]
    public async Task A_tool_opens_the_hosts_files_by_handle_only_where_the_container_itself_may(string profile, string? without, bool opens)
    {
        using var box = new Toolbox(without: without, program: "handle");
        string secret = Path.GetTempFileName();
        File.WriteAllText(secret, "the host's");
        string handle = Shell.Run(Path.Combine(box.Container.Root, "bin/handle"), "of", secret);
        ToolResult result = await box.RunAsync(box.Spec("/bin/handle", "open", handle) with { Profile = profile });
        File.Delete(secret);
        Assert.Equal(opens ? "the host's" : "", result.Output);
        Assert.Equal(opens ? "" : "open_by_handle_at: Operation not permitted\n", result.Errors);
    }
}
