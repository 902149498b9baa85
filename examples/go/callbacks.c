/* The table of callbacks: which function of Go each one is. What is not here fails when it is called for. */
#include "_cgo_export.h"

/* The functions of Go have no const in their types. */
#define CALLBACK(name, function) callbacks->name = (__typeof__(callbacks->name))function

void fill_callbacks(struct ha_callbacks *callbacks)
{
    callbacks->size = sizeof *callbacks;
    CALLBACK(destroy, onDestroy);
    CALLBACK(event, onEvent);
    CALLBACK(refresh, onRefresh);
    CALLBACK(is_quorate, onIsQuorate);
    CALLBACK(members, onMembers);
    CALLBACK(take_lock, onTakeLock);
    CALLBACK(release_lock, onReleaseLock);
    CALLBACK(open_watchdog, onFeedWatchdog);
    CALLBACK(feed_watchdog, onFeedWatchdog);
    CALLBACK(close_watchdog, onCloseWatchdog);
    CALLBACK(read_manager_status, onReadManagerStatus);
    CALLBACK(write_manager_status, onWriteManagerStatus);
    CALLBACK(read_lrm_status, onReadLrmStatus);
    CALLBACK(write_lrm_status, onWriteLrmStatus);
    CALLBACK(read_configuration, onReadConfiguration);
    CALLBACK(commands_waiting, onCommandsWaiting);
    CALLBACK(take_commands, onTakeCommands);
    CALLBACK(move_configuration, onMoveConfiguration);
    CALLBACK(remove_leftover_locks, onRemoveLeftoverLocks);
    CALLBACK(unmanaged_services, onUnmanagedServices);
    CALLBACK(random_bytes, onRandomBytes);
    CALLBACK(start_job, onStartJob);
    CALLBACK(finished_jobs, onFinishedJobs);
    CALLBACK(knows_type, onKnowsType);
    CALLBACK(guest_node, onGuestNode);
    CALLBACK(is_running, onIsRunning);
    CALLBACK(start, onStart);
    CALLBACK(stop, onStop);
    CALLBACK(move_to, onMoveTo);
}
