namespace Crashcart.Image;

/// <summary>An image could not be built; the message is one sentence for a person, with the remedy.</summary>
public class ImageBuildException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>A program of the host that is needed is not installed.</summary>
public sealed class MissingProgramException(string message) : ImageBuildException(message);
