using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>What a coordinator has recorded, for itself and the others. Correlation ids are the caller's business.</summary>
public interface IRecordingShelf
{
    Task<RecordingsFound> FindAsync(FindRecordings find);

    Task<RecordingRead> ReadAsync(ReadRecording read);
}
