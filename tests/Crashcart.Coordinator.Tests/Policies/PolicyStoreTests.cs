using Crashcart.Actors.Policies;
using Crashcart.Coordinator.Policies;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Configuration;

namespace Crashcart.Coordinator.Tests.Policies;

public sealed class PolicyStoreTests : IDisposable
{
    private static readonly PolicyQuestion Question = new(PolicySubject.User("alice", []), PolicyVerb.Nodes);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-policy-");
    private readonly TickingTime _time = new();
    private readonly TestLog _log = new();

    private string Location => Path.Combine(_directory.FullName, "policy.yaml");

    [Fact]
    public async Task A_file_that_is_written_is_in_force_and_one_that_is_wrong_changes_nothing_and_is_told_once()
    {
        File.WriteAllText(Location, "rules: []\n");
        using var store = new PolicyStore(Location, _time, _log);
        Assert.False(store.Decide(Question).IsAllowed);

        File.WriteAllText(Location, "rules: [{effect: allow, subjects: ['user:alice']}]\n");
        _time.Tick();
        Assert.True(store.Decide(Question).IsAllowed);

        File.WriteAllText(Location, "rules: [\n");
        _time.Tick();
        _time.Tick();
        Assert.True(store.Decide(Question).IsAllowed);
        Assert.Equal(1, _log.Count(line => line.Contains("stays in force", StringComparison.Ordinal)));
        Assert.Contains($"{Location}:2:1: not valid YAML", await _log.LineAsync(line => line.Contains("stays in force", StringComparison.Ordinal)));

        File.Delete(Location);
        _time.Tick();
        Assert.True(store.Decide(Question).IsAllowed);

        File.WriteAllText(Location, "rules: [{effect: deny, subjects: ['user:alice']}]\n");
        _time.Tick();
        Assert.False(store.MayAllow(Question));
    }

    [Theory]
    [InlineData("rules: all\n", ":1:8: ")]
    [InlineData(null, "cannot be read")]
    public async Task A_coordinator_does_not_start_with_a_policy_that_is_wrong(string? text, string problem)
    {
        if (text is not null)
            File.WriteAllText(Location, text);

        var refusal = await Assert.ThrowsAsync<SettingsException>(() => TestCoordinator.ServeAsync(TestCoordinator.Settings() with { PolicyPath = Location }));

        Assert.Contains(Location, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(problem, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_policy_everybody_may_do_everything()
    {
        using var store = new PolicyStore(path: null, _time, _log);

        Assert.True(store.Decide(Question).IsAllowed);
        Assert.True(store.MayAllow(Question));
    }

    public void Dispose()
    {
        _log.Dispose();
        _directory.Delete(recursive: true);
    }
}
