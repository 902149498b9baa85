package EnvironmentHost;

# A host for toolstacks that have one object for all that is around them: their environment. Copy this file, and change the
# calls of $self->{env} into those of your own.
#
#   my $crm = EnvironmentHost->new($env, 'crm');
#   my $lrm = EnvironmentHost->new($env, 'lrm');
#   EnvironmentHost::run($env, $crm, $lrm);
#
# What it asks of the environment:
#
#   nodename                       the name of this node
#   monotonic                      seconds by a clock that never jumps and runs on while the machine sleeps (CLOCK_BOOTTIME)
#   quorate, members               whether this node has quorum; { node => online }
#   lock($name), unlock($name)     takes or renews a lock, true if this node has it now; gives it up
#   lock_writer($name)             who wrote the lock's record last: a text that no other process has; undef if it is free. Leave the method out if
#                                  you can't tell
#   writer                         the text by which lock() of this process writes
#   read($record)                  the text of a record, undef if there never was one; dies if that can't be told
#   write($record, $text)          writes a record whole or not at all
#   configuration                  { resources => {}, rules => {}, datacenter => {}, guests => {} }, see HA::Configuration->from_hashes
#   set_state($sid, $state), move_guest($sid, $from, $to)      changes the configuration
#   take_commands                  [ lines ] of the command queue, which is empty then
#   watchdog($what)                'open', 'feed' or 'close'
#   agent($type)                   undef, or an object that looks after guests of that type, by SID:
#       node($sid)                 where it is configured, undef if nowhere        running($sid)   1 or 0; dies if it can't tell
#       locked($sid)               the name of its lock (backup, ...), or undef
#       start($sid), stop($sid, $timeout), move($sid, $target, $live)              these may take their time, and die if they fail
#   log($severity, $text)
#
# Locks, records and the watchdog must hold what HA::Host says; without that a service can run twice.
use v5.26;
use warnings;
use HA;
use POSIX qw(WNOHANG);

our @ISA = 'HA::Host';

use constant NANOSECONDS => 1_000_000_000;
# How a child says that a lock of the guest does not allow what it was to do.
use constant EXIT_LOCKED => 75;

sub new {
    my ($class, $env, $daemon) = @_;
    my $events = bless { env => $env }, 'EnvironmentHost::Events';
    return bless { env => $env, daemon => $daemon, jobs => {}, ended => [], events => $events }, $class;
}

sub event { my ($self, $event) = @_; $self->{env}->log($event->severity, $event->sentence); return }

# --- the cluster ---

# An environment whose view is always fresh has nothing to do here. Die if the view is stale.
sub refresh { return }

sub is_quorate { my ($self) = @_; return $self->{env}->quorate ? 1 : 0 }

sub members { my ($self) = @_; my $members = $self->{env}->members; return { map { $_ => $members->{$_} ? 1 : 0 } keys %$members } }

# The environment knows true and false only. Never answer 'acquired' each time: the master would take itself for a new one in
# every round, and never fence a node.
sub take_lock {
    my ($self, $lock) = @_;
    my $env = $self->{env};
    return $env->lock($lock) ? 'held' : 'refused' unless $env->can('lock_writer');
    my $before = $env->lock_writer($lock);
    return HA->lock_answer_by_writer(taken => $env->lock($lock) ? 1 : 0, before => $before, own => $env->writer);
}

sub release_lock { my ($self, $lock) = @_; $self->{env}->unlock($lock); return }

sub open_watchdog { my ($self, $not_after) = @_; return $self->_watchdog('open', $not_after) }
sub feed_watchdog { my ($self, $not_after) = @_; return $self->_watchdog('feed', $not_after) }
sub close_watchdog { my ($self) = @_; $self->{env}->watchdog('close'); return }

# The clock is read as the last step before the device is touched.
sub _watchdog {
    my ($self, $what, $not_after) = @_;
    return 'too_late' if $self->{env}->monotonic * NANOSECONDS > $not_after;
    $self->{env}->watchdog($what);
    return 'fed';
}

# --- records and configuration ---

sub read_manager_status { my ($self) = @_; return $self->{env}->read('manager_status') // HA::NONE }
sub write_manager_status { my ($self, $status) = @_; $self->{env}->write('manager_status', $status->json); return }
sub read_lrm_status { my ($self, $node) = @_; return $self->{env}->read("lrm_status/$node") // HA::NONE }

sub write_lrm_status {
    my ($self, $status) = @_;
    $self->{env}->write('lrm_status/' . $self->{env}->nodename, $status->json);
    return;
}

sub read_configuration { my ($self) = @_; return HA::Configuration->from_hashes(%{$self->{env}->configuration}) }

sub set_requested_state { my ($self, $sid, $state) = @_; $self->{env}->set_state($sid, $state); return }
sub move_configuration { my ($self, $sid, $from, $to) = @_; $self->{env}->move_guest($sid, $from, $to); return }
sub remove_leftover_locks { return HA::NONE }

# Lines that were taken and not handed on yet: a queue that can only be taken can't be looked at otherwise.
sub commands_waiting { my ($self) = @_; push @{$self->{lines}}, @{$self->{env}->take_commands}; return scalar @{$self->{lines}} }
sub take_commands { my ($self) = @_; $self->commands_waiting; return delete $self->{lines} }

# List the guests that run and are not managed: a guest that is added while it runs is guarded by nothing until its LRM has its lock.
sub unmanaged_services {
    my ($self) = @_;
    my $guests = $self->{env}->configuration->{guests} // {};
    return [map { { sid => $_, node => $guests->{$_}, running => 1 } } sort keys %$guests];
}

sub random_bytes {
    open my $file, '<:raw', '/dev/urandom' or die "no randomness: $!\n";
    read($file, my $bytes, 16) == 16 or die "no randomness\n";
    return $bytes;
}

# --- jobs: what takes time is done by a child, which calls nothing of the library ---

sub start_job {
    my ($self, $job) = @_;
    my $kept = $job->copy;
    my $fields = $kept->as_hash;
    $self->{jobs}{$fields->{id}} = { sid => $fields->{sid}, steps => $kept->steps($self->{env}->nodename) };
    $self->_advance($fields->{id});
    return 'running';
}

sub finished_jobs {
    my ($self) = @_;
    for my $id (sort { $a <=> $b } keys %{$self->{jobs}}) {
        my $job = $self->{jobs}{$id};
        next unless $job->{pid} && waitpid($job->{pid}, WNOHANG) == $job->{pid};
        my ($status, $killed) = ($?, delete $job->{killed});
        delete $job->{pid};
        if ($killed) {
            delete $self->{jobs}{$id};
            push @{$self->{ended}}, [$id, -1];
        } elsif ($status >> 8 == EXIT_LOCKED) {
            my $agent = $self->_agent($job->{sid});
            $self->_advance($id, locked => $agent->locked($job->{sid}) // 'unknown');
        } else {
            $self->_advance($id, $status ? (failed => "it ended with status $status") : 'ok');
        }
    }
    return [splice @{$self->{ended}}];
}

# A job that takes too long. It is gone when its child is, with all that the child has started in its group.
sub end_job {
    my ($self, $id) = @_;
    my $job = $self->{jobs}{$id} or return;
    $job->{killed} = 1;
    kill KILL => -$job->{pid} if $job->{pid};
    return;
}

sub guest_lock { my ($self, $sid) = @_; return $self->_agent($sid)->locked($sid) // HA::NONE }

sub _agent { my ($self, $sid) = @_; return $self->{env}->agent($sid =~ s/:.*//sr) }

# Takes a job as far as it comes without waiting.
sub _advance {
    my ($self, $id, @answer) = @_;
    my $job = $self->{jobs}{$id};
    my ($sid, $steps) = @$job{qw(sid steps)};
    while (1) {
        $steps->answer($self->{events}, @answer) if @answer;
        my $next = $steps->next;
        my $step = $next->{step};
        if ($step eq 'done') {
            delete $self->{jobs}{$id};
            push @{$self->{ended}}, [$id, $next->{exit_code} || 'success'];
            return;
        }
        my $agent = $self->_agent($sid);
        if ($step eq 'knows_type') {
            @answer = $agent ? 'yes' : 'no';
        } elsif ($step eq 'locate') {
            @answer = _try(sub { my $node = $agent->node($sid); defined $node ? (ok => $node) : 'none' });
        } elsif ($step eq 'check_running') {
            @answer = _try(sub { $agent->running($sid) ? 'yes' : 'no' });
        } else {
            my %do = (
                start => sub { $agent->start($sid) },
                stop  => sub { $agent->stop($sid, $next->{timeout}) },
                move  => sub { $agent->move($sid, $next->{target}, $next->{motion} eq 'migrate') },
            );
            $job->{pid} = _in_child(sub { defined $agent->locked($sid) ? EXIT_LOCKED : ($do{$step}->(), 0)[-1] });
            return;
        }
    }
}

sub _try { my ($code) = @_; my @answer = eval { $code->() }; return @answer ? @answer : (failed => "$@" || 'it said nothing') }

# A child has a process group of its own. It ends without cleaning up: what it has of the library is its parent's.
sub _in_child {
    my ($code) = @_;
    my $pid = fork // die "cannot fork: $!\n";
    if ($pid) {
        setpgrp $pid, $pid;
        return $pid;
    }
    setpgrp;
    my $status = eval { $code->() } // do { warn $@; 1 };
    POSIX::_exit($status);
}

# What jobs report while their daemon is inside one of its host's methods goes through a host of its own.
package EnvironmentHost::Events {
    our @ISA = 'HA::Host';

    sub event { return EnvironmentHost::event(@_) }
}

# --- the loop of a node's daemon ---

# Calls both daemons when they want to be called, until both have ended. A signal asks them to stop; a handler may do that at any time.
sub run {
    my ($env, $crm_host, $lrm_host, %with) = @_;
    my %sides = (
        crm => { host => $crm_host, ha => HA::Crm->new(node => $env->nodename, host => $crm_host, timings => $with{timings}) },
        lrm => { host => $lrm_host, ha => HA::Lrm->new(node => $env->nodename, host => $lrm_host, timings => $with{timings}) },
    );
    my $now = sub { return int($env->monotonic * NANOSECONDS) };
    my $stop = sub { $sides{lrm} ? $sides{lrm}{ha}->request_stop($lrm_host, $with{stop} // 'restart', $now->()) : undef };
    local @SIG{qw(TERM INT)} = ($stop) x 2;
    while (%sides) {
        for my $name (sort keys %sides) {
            my $side = $sides{$name};
            next if ($side->{next} // 0) > $now->();
            my $next = $side->{ha}->tick($side->{host}, $now->());
            $side->{next} = $next->{next};
            delete $sides{$name} if $next->{wait} eq 'exit';
        }
        # The LRM may need a master for its services to be frozen: the CRM goes last.
        $sides{crm}{ha}->request_stop($crm_host) if $sides{crm} && !$sides{lrm} && !$sides{crm}{asked}++;
        my ($due) = sort { $a <=> $b } map { $_->{next} } values %sides;
        my $wait = defined $due ? ($due - $now->()) / NANOSECONDS : 0;
        select undef, undef, undef, $wait < 0.2 ? $wait : 0.2 if $wait > 0;
    }
    return;
}

1;
