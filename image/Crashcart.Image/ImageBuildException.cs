namespace Crashcart.Image;

/// <summary>An image could not be built; the message is one sentence for a person, with the remedy.</summary>
public sealed class ImageBuildException(string message, Exception? cause = null) : Exception(message, cause);
