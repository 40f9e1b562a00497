namespace Crashcart.Image.Tests;

/// <summary>Tests that share one build of the default image, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class SharedImage : ICollectionFixture<DefaultImage>
{
    public const string Name = "the default image";
}
