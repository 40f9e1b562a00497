using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Crashcart.Actors.Tests;

/// <summary>Who may reference whom, and who may reach the kernel, read from the sources.</summary>
public sealed partial class ArchitectureTests
{
    [Theory]
    [InlineData("Crashcart.Native")]
    [InlineData("Crashcart.Actors")]
    [InlineData("Crashcart.Audit", "Crashcart.Native")]
    [InlineData("Crashcart.Node", "Crashcart.Actors", "Crashcart.Audit", "Crashcart.Native")]
    [InlineData("Crashcart.Coordinator", "Crashcart.Actors", "Crashcart.Audit", "Crashcart.Node")]
    [InlineData("Crashcart.Cli", "Crashcart.Audit", "Crashcart.Native", "image/Crashcart.Image")]
    [InlineData("image/Crashcart.Image")]
    public void A_project_references_what_it_may_and_nothing_else(string project, params string[] references) => Assert.Equal(
        references,
        Items(project, "ProjectReference")
            .Select(reference => Path.GetDirectoryName(Path.GetRelativePath(
                RepositoryRoot.Path,
                Path.GetFullPath(reference, Path.Combine(RepositoryRoot.Path, project)))))
            .Order(StringComparer.Ordinal));

    [Fact]
    public void Every_project_is_known_here() => Assert.Equal(
        ["Crashcart.Actors", "Crashcart.Audit", "Crashcart.Cli", "Crashcart.Coordinator", "Crashcart.Native", "Crashcart.Node", "image/Crashcart.Image"],
        Projects());

    [Fact]
    public void The_actors_reach_neither_Linux_nor_Docker()
    {
        string[] allowed = ["Akka.Cluster", "Akka.Remote", "Google.Protobuf", "Grpc.Core.Api", "Grpc.Tools"];

        Assert.Empty(Items("Crashcart.Actors", "PackageReference").Except(allowed));
        Assert.Empty(Items("Crashcart.Actors", "FrameworkReference"));
    }

    [Fact]
    public void Only_Native_is_unsafe()
    {
        Assert.Equal(["Crashcart.Native"], Projects().Where(project => File.ReadAllText(ProjectFile(project)).Contains("AllowUnsafeBlocks", StringComparison.Ordinal)));
        Assert.DoesNotContain("AllowUnsafeBlocks", File.ReadAllText(Path.Combine(RepositoryRoot.Path, "Directory.Build.props")), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_Native_Node_and_Cli_import_system_calls()
    {
        string[] allowed = ["Crashcart.Cli", "Crashcart.Native", "Crashcart.Node"];

        var offenders = Projects().Except(allowed)
            .SelectMany(Sources)
            .Where(source => SystemCallImport().IsMatch(File.ReadAllText(source)))
            .Select(source => Path.GetRelativePath(RepositoryRoot.Path, source));

        Assert.Empty(offenders);
        Assert.DoesNotContain("Tmds.LibC", Projects().Except(allowed).SelectMany(project => Items(project, "PackageReference")));
    }

    [Fact]
    public void The_command_line_knows_no_actors()
    {
        Assert.DoesNotContain(Items("Crashcart.Cli", "PackageReference"), package => package.StartsWith("Akka", StringComparison.Ordinal));
        Assert.Contains("true", XDocument.Load(ProjectFile("Crashcart.Cli")).Descendants("PublishAot").Select(aot => aot.Value));
    }

    [GeneratedRegex(@"\[\s*(DllImport|LibraryImport)(Attribute)?\s*\(|using\s+(static\s+)?Tmds\.Linux|NativeLibrary\.|delegate\*\s*unmanaged")]
    private static partial Regex SystemCallImport();

    private static IEnumerable<string> Projects() => Directory
        .EnumerateFiles(RepositoryRoot.Path, "Crashcart.*.csproj", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 })
        .Select(file => Path.GetRelativePath(RepositoryRoot.Path, Path.GetDirectoryName(file)!))
        .Where(project => !project.StartsWith("tests/", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);

    private static IEnumerable<string> Items(string project, string kind) =>
        XDocument.Load(ProjectFile(project)).Descendants(kind).Select(item => item.Attribute("Include")!.Value);

    private static string ProjectFile(string project) =>
        Path.Combine(RepositoryRoot.Path, project, $"{Path.GetFileName(project)}.csproj");

    private static IEnumerable<string> Sources(string project) => Directory
        .EnumerateFiles(Path.Combine(RepositoryRoot.Path, project), "*.cs", SearchOption.AllDirectories)
        .Where(source => !Path.GetRelativePath(RepositoryRoot.Path, source).Split('/').Any(part => part is "obj" or "bin"));
}
