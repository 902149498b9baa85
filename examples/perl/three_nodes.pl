#!/usr/bin/perl
# A complete host in one file: a store in files, and the CRM and LRM of three nodes in one process, through a failover.
#
#   three_nodes.pl FOLDER
#
# FOLDER must be empty; everything that nodes share is written there, so that it can be looked at afterwards. Time is virtual:
# it jumps to whatever is due next. A real host runs one node a process, sleeps until the next call, and has a store, locks
# and a watchdog that hold what HA::Host says. The rest is as here.
use v5.26;
use warnings;
use HA;

binmode STDOUT, ':encoding(UTF-8)';

my $SECOND = 1_000_000_000;
my ($folder) = @ARGV;
die "usage: $0 EMPTY-FOLDER\n" unless defined $folder;

my $now = 0;       # nanoseconds
my %nodes;         # name => { up, running => { sid => 1 }, sides => [ crm, lrm ] }

# --- the store in files ---

# Writes a file whole or not at all.
sub store {
    my ($name, $bytes) = @_;
    open my $file, '>:raw', "$folder/$name.part" or die "$name: $!\n";
    print $file $bytes or die "$name: $!\n";
    close $file or die "$name: $!\n";
    rename "$folder/$name.part", "$folder/$name" or die "$name: $!\n";
    return;
}

# Reads a file; undef if there is none.
sub load {
    my ($name) = @_;
    open my $file, '<:raw', "$folder/$name" or return undef;
    local $/;
    return scalar <$file>;
}

sub quorate {
    my ($node) = @_;
    my $up = grep { $_->{up} } values %nodes;
    return $nodes{$node}{up} && 2 * $up > keys %nodes;
}

# --- a daemon's host ---

package Side {
    our @ISA = 'HA::Host';

    sub new {
        my ($class, $node, $daemon) = @_;
        return bless { node => $node, daemon => $daemon, next => $now }, $class;
    }

    sub event {
        my ($self, $event) = @_;
        printf "%4d  %s/%s  %s\n", $now / $SECOND, $self->{node}, $self->{daemon}, $event->sentence;
    }

    sub refresh { }

    sub is_quorate { my ($self) = @_; return main::quorate($self->{node}) }

    sub members {
        my ($self) = @_;
        return { map { $_ => main::quorate($self->{node}) && $nodes{$_}{up} } keys %nodes };
    }

    # A lock is a file with its holder and when its lease ends.
    sub take_lock {
        my ($self, $lock) = @_;
        return 'refused' unless main::quorate($self->{node});
        my ($holder, $ends) = split ' ', main::load($lock) // '';
        my $mine = defined $holder && $holder eq $self->{node} && $ends > $now;
        return 'refused' if defined $ends && $ends > $now && !$mine;
        main::store($lock, "$self->{node} " . ($now + 120 * $SECOND));
        return $mine ? 'renewed' : 'acquired';
    }

    sub release_lock {
        my ($self, $lock) = @_;
        my ($holder) = split ' ', main::load($lock) // '';
        main::store($lock, '') if defined $holder && $holder eq $self->{node};
    }

    sub open_watchdog { my ($self, $not_after) = @_; return $self->feed_watchdog($not_after) }

    # A real host reads its clock here once more, right before it touches the device.
    sub feed_watchdog {
        my ($self, $not_after) = @_;
        return 'too_late' if $now > $not_after;
        $self->{watchdog} = $now + 60 * $SECOND;
        return 'fed';
    }

    sub close_watchdog { my ($self) = @_; delete $self->{watchdog} }

    sub read_manager_status { return main::load('manager_status') // HA::NONE }

    sub write_manager_status {
        my ($self, $status) = @_;
        die "no quorum\n" unless main::quorate($self->{node});
        main::store('manager_status', $status->json);
    }

    sub read_lrm_status { my ($self, $node) = @_; return main::load("lrm_status_$node") // HA::NONE }

    sub write_lrm_status { my ($self, $status) = @_; main::store("lrm_status_$self->{node}", $status->json) }

    # Made again for each question. What did not change has the same digest, and costs the daemons nothing.
    sub read_configuration {
        my %guests;
        for my $path (glob "$folder/guest-*") {
            my ($sid) = $path =~ m{/guest-([^/]+)\z} or next;
            $guests{$sid} = main::load("guest-$sid");
        }
        return HA::Configuration->new('resources.cfg' => main::load('resources.cfg') // '', guests => \%guests);
    }

    sub commands_waiting { return length(main::load('commands') // '') > 0 }

    sub take_commands {
        my @lines = split /\n/, main::load('commands') // '';
        main::store('commands', '') if @lines;
        return \@lines;
    }

    sub move_configuration { my ($self, $sid, $from, $to) = @_; main::store("guest-$sid", $to) }

    sub remove_leftover_locks { return HA::NONE }

    sub unmanaged_services { return [] }

    sub random_bytes {
        open my $file, '<:raw', '/dev/urandom' or die "no randomness: $!\n";
        read($file, my $bytes, 16) == 16 or die "no randomness\n";
        return $bytes;
    }

    # Jobs are carried out at once. A host whose agents take their time returns 'running', and tells the end later.
    sub start_job { my ($self, $job) = @_; return $job->run($self->{node}, $self->{agent} //= Agent->new($self->{node}, 'lrm')) }

    sub finished_jobs { return [] }
}

# --- the agent ---

package Agent {
    our @ISA = 'HA::Host';

    sub new { my ($class, $node, $daemon) = @_; return bless { node => $node, daemon => $daemon }, $class }

    sub event { return Side::event(@_) }

    sub knows_type { my ($self, $type) = @_; return $type eq 'vm' }

    sub guest_node { my ($self, $sid) = @_; return main::load("guest-$sid") // HA::NONE }

    sub is_running { my ($self, $sid) = @_; return $nodes{$self->{node}}{running}{$sid} ? 1 : 0 }

    sub start {
        my ($self, $sid) = @_;
        die "$sid runs elsewhere\n" if grep { $_->{running}{$sid} } values %nodes;
        $nodes{$self->{node}}{running}{$sid} = 1;
    }

    sub stop { my ($self, $sid) = @_; delete $nodes{$self->{node}}{running}{$sid} }

    sub move_to {
        my ($self, $sid, $target, $motion) = @_;
        my $ran = delete $nodes{$self->{node}}{running}{$sid};
        $nodes{$target}{running}{$sid} = 1 if $ran && $motion eq 'migrate';
        main::store("guest-$sid", $target);
    }
}

# --- what happens ---

sub power_on {
    my ($name) = @_;
    my ($crm, $lrm) = map { Side->new($name, $_) } qw(crm lrm);
    $nodes{$name} = { up => 1, running => {}, sides => [$crm, $lrm] };
    $crm->{ha} = HA::Crm->new(node => $name, host => $crm);
    $lrm->{ha} = HA::Lrm->new(node => $name, host => $lrm);
}

# Everything of the node is gone at once, without a word to anybody.
sub power_off { my ($name) = @_; $nodes{$name} = { up => 0, running => {}, sides => [] } }

sub call_daemon {
    my ($side) = @_;
    my $next = eval { $side->{ha}->tick($side, $now, 1_700_000_000 + int($now / $SECOND)) };
    # After a bug nothing is fed any more: the watchdog resets the node.
    warn "$side->{node}: $@" unless $next;
    $side->{next} = $next && $next->{wait} ne 'exit' ? $next->{next} : undef;
}

# Lets everything happen that is due until a moment.
sub run_until {
    my ($end) = @_;
    while (1) {
        my ($due, $at, $expired);
        for my $side (map { @{$nodes{$_}{sides}} } sort keys %nodes) {
            my ($next, $watchdog) = @$side{qw(next watchdog)};
            my $expires = defined $watchdog && (!defined $next || $watchdog < $next);
            my $when = $expires ? $watchdog : $next;
            ($due, $at, $expired) = ($side, $when, $expires)
                if defined $when && $when <= $end && (!defined $at || $when < $at);
        }
        last unless $due;
        $now = $at if $at > $now;
        if ($expired) {
            printf "%4d  the watchdog resets %s\n", $now / $SECOND, $due->{node};
            power_off($due->{node});
        } else {
            call_daemon($due);
        }
    }
    $now = $end;
}

sub tell_guests {
    for my $sid (qw(vm:100 vm:101)) {
        printf "%4d  %s runs on %s\n", $now / $SECOND, $sid, join ' ', grep { $nodes{$_}{running}{$sid} } sort keys %nodes;
    }
}

store('resources.cfg', "vm: 100\n\tcomment mail\n\nvm: 101\n\tcomment web\n\n");
store('guest-vm:100', 'gamma');
store('guest-vm:101', 'beta');
power_on($_) for qw(alpha beta gamma);
run_until(60 * $SECOND);
tell_guests();
printf "%4d  somebody pulls the plug of gamma\n", 60;
power_off('gamma');
run_until(300 * $SECOND);
tell_guests();
printf "%4d  gamma is back; vm:101 is to go there\n", 300;
power_on('gamma');
store('commands', "migrate vm:101 gamma\n");
run_until(360 * $SECOND);
tell_guests();
