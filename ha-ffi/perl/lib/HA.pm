package HA;

use v5.26;
use warnings;
use Config;

our $VERSION = '0.1.0';

BEGIN { $Config{ptrsize} == 8 or die "HA needs a Perl with pointers of 64 bits\n" }

use HA::FFI;
use HA::Daemon;
use HA::Record;
use HA::Configuration;
use HA::Crm;
use HA::Event;
use HA::Host;
use HA::Job;
use HA::Locked;
use HA::Lrm;
use HA::LrmStatus;
use HA::Manager;
use HA::ManagerStatus;
use HA::RoundInput;
use HA::Rules;
use HA::Simulation;
use HA::Situation;
use HA::Timings;
use HA::Usage;
use HA::View;

# What a host's method returns where there certainly is none: no record was ever written, no guest is configured.
use constant NONE => 'none';

sub version { return HA::FFI::version() }

sub abi_version { return HA::FFI::abi_version() }

sub live_handles { return HA::FFI::live_handles() }

sub live_texts { return HA::FFI::live_texts() }

sub check_command { my (undef, $line) = @_; return HA::FFI::get_text(command_check => $line) }

sub compare_versions { my (undef, $one, $other) = @_; return HA::FFI::get(compare_versions => $one, $other) }

# A host that leaves out what it must know would get an answer for something else.
sub decide_lock {
    my (undef, @given) = @_;
    my %claim = HA::FFI::named('decide_lock',
        [qw(node holder hand holds lifetime unchanged_for holder_lifetime damaged)], @given);
    for my $name (qw(node lifetime unchanged_for)) {
        HA::Error->throw(status => 'argument', message => "decide_lock: '$name' is missing") unless length($claim{$name} // '');
    }
    my $holder = $claim{holder} // '';
    my $hand = $claim{damaged} ? 0 : length $holder ? HA::FFI::word_number(hand => $claim{hand}) : 3;
    my $decision = HA::FFI::get(
        decide_lock => $claim{node}, $holder, $hand, $claim{holds} ? 1 : 0,
        map { int($_ * 1e9) } $claim{lifetime}, $claim{holder_lifetime} // $claim{lifetime}, $claim{unchanged_for},
    );
    return HA::FFI::word(lock_decision => $decision);
}

# For hosts whose locks say only whether they were taken.
sub lock_answer_by_writer {
    my (undef, @given) = @_;
    my %given = HA::FFI::named('lock_answer_by_writer', [qw(taken before own)], @given);
    HA::Error->throw(status => 'argument', message => "lock_answer_by_writer: 'taken' is missing") unless defined $given{taken};
    my $number = HA::FFI::get(lock_answer_by_writer => $given{taken} ? 1 : 0, $given{before} // '', $given{own} // '');
    return $HA::FFI::NAME{answer}{$number};
}

sub _lines { return join '', map { HA::JSON::encode($_) . "\n" } @_ }

# What happened, as a host keeps it, and the figures that follow from it.
sub history_entry {
    my (undef, $begun) = @_;
    my $json = HA::JSON::encode($begun);
    return HA::JSON::decode(HA::FFI::get(history_entry => \$json));
}

sub history_counted {
    my (undef, $counted, @entries) = @_;
    my ($before, $lines) = (defined $counted ? HA::JSON::encode($counted) : '', _lines(@entries));
    return HA::JSON::decode_if_any(HA::FFI::get(history_counted => \$before, \$lines));
}

sub history_failovers {
    my (undef, $timings, @entries) = @_;
    my $lines = _lines(@entries);
    return HA::JSON::decode(HA::FFI::get(history_failovers => $timings, \$lines))->@*;
}

1;

__END__

=encoding utf8

=head1 NAME

HA - high availability of services in a cluster

=head1 SYNOPSIS

    use HA;

    my $configuration = HA::Configuration->new('resources.cfg' => $bytes, 'rules.cfg' => $more_bytes);
    warn "$_\n" for $configuration->problems('resources.cfg');

    my $status    = HA::ManagerStatus->new($json);
    my $situation = HA::Situation->new($status, $configuration);
    for my $recovery ($situation->after_failure('node3')) {
        printf "%s -> %s\n", $recovery->{sid}, $recovery->{to} // 'nowhere';
    }

=head1 DESCRIPTION

The library C<libha> for Perl: configuration files, rules, placement with its reasons, status records, and the two daemons
CRM and LRM, driven by your own loop, with your own store, locks, watchdog and guests. F<examples/perl> has whole
programs. It needs L<FFI::Platypus> and no compiler. The library is looked for where the system has it, or taken from
C<HA_LIBRARY>.

Errors are exceptions of the class L</HA::Error>. Objects free what is behind them. Hashes and arrays are plain ones;
texts are Perl texts, but for the bytes of configuration files. SIDs are such as C<vm:100>. States, modes and the like are the
words that the status records have.

One object is used by one call at a time: using a daemon from one of its own host's methods is an error with the status
C<busy>, but for C<request_stop>. Objects are not copied into threads.

=head1 CLASSES

C<use HA> loads all of them; each can be used alone too, as in C<use HA::Crm>.

=head2 HA

=over

=item C<< HA->version >>, C<< HA->abi_version >>

The version of the library, and of its interface.

=item C<< HA->check_command($line) >>

A line of the command queue in its plain form; throws if it is no command. For whoever queues what a person typed.

=item C<< HA->compare_versions($one, $other) >>

-1, 0 or 1; C<9.0.0~16> comes before C<9.0.0>.

=item C<< HA->history_entry($hash) >>

A whole entry of the history, as a hash, from one that a host has begun: C<id> (such as C<node1.19ad0c33f41.17>: the node, when its
daemon was started, in hexadecimal digits, and a number that grows), C<time_ms>, C<node>, C<source> (C<crm>, C<lrm>, C<node>
or C<person>), C<what> (an event as a hash), C<position> (its place in the history of the cluster), and for a node that is noticed as
lost C<silent_ms>. It gets C<severity> and C<cause> where it does not have them.

=item C<< HA->history_counted($counted, @entries) >>

Counts what has happened: fencings, moves by cause, restarts, and how long failovers and each part of them took. C<$counted> is what
this gave the last time, undef at first. The entries are all that is kept, in the order in which they were kept; each counts once
however often it is given. undef if there is nothing new. Keep the hash as it is: counters go on from there when old entries are gone.

=item C<< HA->history_failovers($timings, @entries) >>

The failovers that these entries tell of, each as a hash: the node, what proved that it was down, what became of each service,
the C<seconds> of each step, and C<bound_s>, how long it may take by the L</HA::Timings> (the customary ones for undef).

=item C<< HA->decide_lock(node => $node, holder => $holder, hand => $hand, holds => $bool, lifetime => $seconds, unchanged_for => $seconds) >>

What to do about a lock that this process wants for its node, for hosts that keep locks as records in a store: C<acquired> or
C<renewed> (write a record of your own in one step with having looked; then that is the answer), C<refused>, or C<twin>: another
machine works under this node's name; call the daemons no more, and neither feed nor close the watchdog, until a person has decided.

C<holder> is the node that the record names, undef if nobody holds the lock. C<hand> says by whose hand the record was written:
C<own> if this process remembers having written exactly that, C<predecessor> if one before it on the same boot did that is
proven to be gone, else C<another>. C<holds>: whether this process has the lock as far as it knows. C<holder_lifetime>: what the
record says, if it does. C<unchanged_for>: for how long this process has seen the very same record. C<damaged> is true for a record
that can't be read: it may be somebody's.

=item C<< HA->lock_answer_by_writer(taken => $bool, before => $writer, own => $writer) >>

What C<take_lock> is to answer where a lock says only whether it was taken: C<refused>, or C<renewed> if its record was written by this very process
before it was asked for, else C<acquired>. C<before>: who had written the record last before that, undef if nobody had or the lock
was released. A writer is a text that no other process ever has; a node's name does not do. A host that can't tell answers
C<held>. It must not answer C<acquired> each time: its master would take itself for a new one in every round, and never fence a node.

=item C<HA::NONE>

What a host's method returns where there certainly is none: see L</HA::Host>.

=item C<< HA->live_handles >>, C<< HA->live_texts >>

How much of the library's is not freed yet, for tests that look for leaks.

=back

=head2 HA::Configuration

All of the configuration. Files are named C<resources.cfg>, C<groups.cfg>, C<rules.cfg>, C<nodes.cfg>, C<datacenter.cfg>, C<fence.cfg>.

=over

=item C<< new(%files, service_types => {}, guests => {}) >>

Reads the bytes of files, by name. C<service_types> are those beside C<vm> and C<ct>: type to what its names are, C<any> or
C<digits>; C<guests>: SID to node. There are also C<add_service_type($type, $names)>, C<set_guest($sid, $node)>, C<guests> (a hash of
SID to node), C<guest_node($sid)> (undef if there is no such guest), C<clear_guests>, C<copy>.

=item C<< from_hashes(resources => {}, groups => {}, rules => {}, nodes => {}, datacenter => {}, service_types => {}, guests => {}) >>

Makes one where there are no files: SID, group, rule or node to its properties; arrays of pairs keep an order of their own. Lists may be arrays, nodes
a hash of priorities. A rule has its C<type> among the properties. C<datacenter> has the form of C<read_datacenter_json>, in which
shares are fractions. Whatever is wrong with it is an exception.

    HA::Configuration->from_hashes(
        resources => { 'vm:100' => { state => 'started', max_restart => 2 } },
        rules     => { home => { type => 'node-affinity', resources => ['vm:100'], nodes => { node1 => 2, node2 => 1 }, strict => 1 } },
        guests    => { 'vm:100' => 'node1' },
    );

=item C<< read($file, $bytes) >>, C<< read_datacenter_json($json) >>

Reads a file again. A problem in it is no exception, and never loses the rest of it.

=item C<< problems($file) >>

A list of L</HA::Error>, with C<line>, C<section>, C<field> and C<code>.

=item C<< write($file) >>, C<< digest($file) >>

The bytes of the file as it is now, with comments and whatever could not be read; and its digest.

=item C<< sections($file) >>, C<< property($file, $id, $key) >>, C<< as_hash($file) >>

Pairs of type and id in the order of the file; the text of a property, or undef; and all of it as a hash.

=item C<< edit($action, $id, %with) >>

Carries an edit out with all checks, or throws and changes nothing: status C<edit>, with C<details> that name each property
at fault. Gives the SID that was added, if one was. Actions: C<add_>, C<set_> or C<remove_> with C<resource>, C<group> or
C<rule>, C<set_node> and C<set_datacenter>. With: C<set> (hash, or array of pairs), C<unset> (keys), C<rule_type>, C<nodes> (all
members of the cluster), C<in_error> (services in that state), C<guests> (number to type, for bare numbers), C<seen> (the
digest that the file must have), C<keep_in_rules>.

=item C<< fence_report(@nodes) >>, C<< shadowed_groups >>

What F<fence.cfg> comes to for nodes; and the groups that a rule stands in for.

=back

=head2 HA::Rules

C<< new($configuration, @nodes) >> checks, completes and compiles the rules for all members of the cluster. C<dropped> is a list
of L</HA::Error>, one for each reason for which a rule takes no part: C<section> is the rule, C<code> the reason, C<field>
the service. C<as_hash> is what became of the others. C<why_together($sid, $sid)> and C<why_apart($sid, $sid)> are the rules
that say so.

=head2 HA::Situation

C<< new($status, $configuration, %with) >> is all that placement looks at, as it was then. With: C<members> (array), C<usage> and
C<unmanaged>, both as hosts give them. Preferences are C<none> (stay if it may: the default), C<best_score> and C<try_next>.

=over

=item C<< select($sid, $preference) >>

The node where a service should be; undef if there is none.

=item C<< explain($sid, $preference, \@changes) >>

The decision with its reasons as a hash, in words under C<text>; with C<@changes> as it would be then.

=item C<< counterfactual($sid, $preference, $node) >>

What would have to be different for the service to go to the node.

=item C<< after_failure(@nodes) >>

Where their services would go if the nodes failed now: hashes of C<sid>, C<from>, C<to> (undef: nowhere), C<decided_by>.

=item C<< balance($count, $manager) >>

What automatic balancing would do, with the best C<$count> moves. C<$manager> may be left out.

=item C<findings>

What the answers leave out of account, as hashes of C<kind>, C<text>, and where it is about them C<rule>, C<sid> and C<node>.

=back

=head2 HA::ManagerStatus, HA::LrmStatus

The status records. C<< new($json_or_hash) >>, or C<new> for an empty one; C<json>, C<as_hash>, C<copy>. One that a host's
method gets is lent: it holds until the method returns, can't be changed, and C<copy> keeps it.

Manager status: C<master>; C<nodes> (node to state), C<node_state($node)>, C<set_node($node, $state)> (undef forgets it);
C<services> (a list of hashes of C<sid>, C<state>, C<node>, and where they are set C<target>, C<uid>, C<maintenance_node>,
C<running>, C<timeout>), C<service($sid)>, C<set_service(%service)>, C<remove_service($sid)>, C<failed_nodes($sid)>.

LRM status: C<state>, C<mode>, C<timestamp>, C<set(%fields)> for these three; C<writer> (a hash of
C<machine> and C<boot>, or undef), C<set_writer($machine, $boot)> (undef: nobody); C<results> (a list of hashes of C<uid>, C<sid>,
C<state>, C<exit_code>), C<result($uid)>, C<add_result(%result)>.

=head2 HA::View

What a person sees: C<lines>, C<text>, C<as_hash> of
C<< new(own_node => $node, quorate => $yes, now => time, manager => $status, configuration => $configuration,
lrms => { node => $lrm_status }, locations => { sid => node }) >>. Leave C<locations> out if you can't tell where guests are.

=head2 HA::Timings

C<< new('customary') >>, C<< new('fast') >> or C<< new(\%settings) >>; C<get($setting)>, C<set($setting, $value)>, C<as_hash>.
C<check> throws if they are not safe, with each inequality that does not hold and its mend in C<details>; else it gives
what follows from them, in nanoseconds. C<watchdog_timeout_left($nanoseconds)> is the timeout with which a watchdog may be fed so
long after its renewal was asked for; undef if it must not be fed any more.

=head2 HA::Crm, HA::Lrm

=over

=item C<< new(node => $node, host => $host, timings => $timings) >>

Starts the daemon of a node; without C<timings> with the customary ones.

=item C<< set_writer($machine, $boot) >>, of an LRM

Says who it writes its record as; to be called right after C<new>. No two machines that can run at the same time may have the same
C<$machine>: what is copied with a disk or a backup will not do. C<$boot> is the same for all that runs on the machine between
two boots, and was never used before. Where you can't promise that, name no writer.

=item C<< tick($host, $monotonic, $wall) >>

Does what must be done now, without waiting beyond what the host's methods do. C<$monotonic> is the monotonic clock in
nanoseconds (C<CLOCK_BOOTTIME>), read before the call; C<$wall> the time, by default C<time>. Gives a hash of C<next>, when
it wants to be called again, and C<wait>, what it waits for: C<next_iteration>, C<lock_retry>, C<jobs>, or C<exit>: it is
done.

=item C<< request_stop($host) >>, for an LRM C<< request_stop($host, $request, $monotonic, $wall) >>

Asks it to stop; go on calling C<tick> until it waits for C<exit>. Requests: C<restart>, C<node_reboot>, C<node_shutdown>.

=item C<state>; C<mode> of an LRM; C<manager_status> of a CRM that is master

=back

After an exception with the status C<panic> a bug struck in the library, and the daemon refuses everything. Stop feeding the
watchdog, neither close it nor release locks, and let the node be reset.

=head2 HA::Host

The base class of hosts. Write a class with the methods that your daemons need; those that you leave out fail when they
are called for. A method fails by dying: that is reported as an event C<host_call_failed> with what it died of, and tried
again later; it does no harm to the daemon, and never leads to a feed of the watchdog. If it is not known whether
something took effect, die. C<< $host->exceptions >> gives what methods died of since it was last asked, as hashes of
C<method> and C<exception>; the last hundred are kept.

What Perl returns by accident never counts as an answer. Where it says I<none>, return C<HA::NONE>: undef is a failure. Where
it says I<nothing>, returning nothing or something true is fine: C<0>, C<''>, C<'0E0'> and negative numbers are failures. And a job that
worked is C<'success'>: C<0> is a failure. I<true or false> is what Perl's comparisons give, C<1> or C<0>, a count, or a JSON
boolean: C<undef>, an empty text, C<'0 but true'>, C<'no'> and references are failures. A text that is empty or C<0> is none.

Objects with some methods of a part (those of a CRM, an LRM, an agent, or for locks or the watchdog), but without one that this part can't do
without, are refused when they are first used, with its name.

C<request_stop> may be called at any time, also by a signal handler during a tick and by a method of the host: it takes effect when the
tick ends, or with the next one. An C<alarm> whose handler dies ends the method that it strikes, as if that had died. After C<fork> call
nothing of this library in the child. Named arguments that are not known are errors.

    for                method                               returns
    both daemons       event($event)                        nothing
                       refresh                              nothing
                       is_quorate                           true or false
                       take_lock($lock)                     'acquired', 'renewed', 'held' or 'refused'
                       release_lock($lock)                  nothing
                       open_watchdog($not_after)            'fed' or 'too_late'
                       feed_watchdog($not_after)            'fed' or 'too_late'
                       close_watchdog                       nothing
                       read_manager_status                  HA::ManagerStatus, JSON, a hash, or none
                       read_lrm_status($node)               HA::LrmStatus, JSON, a hash, or none
                       read_configuration                   HA::Configuration
    CRM                members                              { node => online }
                       write_manager_status($status)        nothing
                       commands_waiting                     true or false
                       take_commands                        [ lines ]
                       move_configuration($sid, $from, $to) nothing
                       remove_leftover_locks($sid, $node)   the name of the lock, or none
                       set_requested_state($sid, $state)    nothing
                       write_group_migration($rules, $rules_digest, $resources, $resources_digest)   nothing
                       remove_groups($digest)               nothing
                       software_version($node)              the version, or none
                       run_fence_device($node, $incident, $number, $device, \@commands)   'running', 'fenced' or 'not_fenced'
                       forget_fence_attempts(\@incidents)   nothing
                       unmanaged_services                   [ { sid, node, running } ]
                       usage($mode)                         { nodes => {}, services => {} }; mode: 'static' or 'dynamic'
                       random_bytes                         sixteen bytes that nobody had before
    LRM                write_lrm_status($status)            nothing
                       start_job($job)                      'running', 'success', or the exit code of a failure
                       finished_jobs                        [ [ id, 'success' or exit code ] ]
    LRM, if it has it  job_time_limit($job)                 seconds since its start, or none
                       end_job($id)                         nothing
                       guest_lock($sid)                     the name of the lock, or none
                       probe($sid, $number, $probe, $timeout)   'running', 'ready', 'not_ready' or 'never_ready'
    agent              knows_type($type)                    true or false
                       guest_node($sid)                     the node, or none
                       is_running($sid)                     true or false
                       start($sid)                          nothing; HA::Locked->throw($lock) where a lock of the guest does not allow it, as in the next two
                       stop($sid, $timeout)                 nothing
                       move_to($sid, $target, $motion)      nothing

C<stop> gets seconds, 0 for hard at once, or undef for as the agent likes; C<move_to> C<migrate> or C<relocate>; C<not_after> is in
nanoseconds. C<usage> has for each name C<max_cpu>, C<max_memory>, C<cpu>, C<memory>. C<move_configuration> is for guests of a node
that was fenced; it succeeds if the configuration is there already.

That nothing runs twice counts on this, method by method:

=for comment Made by `cargo xtask generate` (tools/bindings): change what it is made from.

=over

=item C<event>

It does not fail, and it does not block: a daemon that waits for it feeds no watchdog.

=item C<is_quorate>

Yes only where it is known; what can't be told is no.

=item C<members>

Where this node is not quorate none is online. A node that is no member, or no member any more, is not quorate and gets
no lock.

=item C<take_lock>

From the moment that this is called, for at least the lock lifetime, no other node gets the lock, unless this one
releases it; and no lock is given without quorum. The answer is the answer to this very call; what is not known is a
failure. A node is one machine on one boot, not a name.

=item C<release_lock>

A lock that this node does not have stays as it is.

=item C<open_watchdog>

As for feed_watchdog. A process that goes away without closing it never calls off the reset.

=item C<feed_watchdog>

The monotonic clock is read as the last step before the device is touched; past not_after the device is left alone.

=item C<close_watchdog>

Nothing but this calls off the reset.

=item C<read_manager_status>

Never something older than what this node has read before. None only if none was ever written; a record that can't be
read is a failure.

=item C<read_configuration>

What can't be read is a failure, not an empty configuration.

=item C<write_manager_status>

Whole or not at all. A host that can refuses it to a node that does not hold the manager lock: while HA is disarmed no
watchdog ends a master that was stopped for longer than its lock lasts.

=item C<read_lrm_status>

Never something older than what this node has read before. None only if there is none; a record that can't be read is a
failure.

=item C<take_commands>

A line is given once.

=item C<write_lrm_status>

Whole or not at all.

=item C<move_configuration>

It does not touch the guest.

=item C<remove_leftover_locks>

Only locks that a guest on a fenced node leaves behind are removed; any other one protects what is under way.

=item C<write_group_migration>

Only if both files are still the same: the rules are written first, and each file whole or not at all.

=item C<remove_groups>

Only if the file is still the same.

=item C<run_fence_device>

A success is the answer of commands that were started for this very attempt, never for another one: the node may have
been up again meanwhile. What still runs for another attempt for the node has ended before commands are started. It
returns at once, also where a program hangs.

=item C<random_bytes>

Nobody can have had them before.

=item C<start_job>

If it fails the job does not run, and never will. The workers of a node end with its power.

=item C<finished_jobs>

Each job is named once, and only when nothing of it is left. If it fails nothing counts as told.

=item C<guest_node>

It names the target of a move only when nothing of the service is left here that may run.

=item C<is_running>

No only if nothing of the service is left, no child, no helper, no mount; what can't be told is a failure: then nothing
is started, and no stop has worked.

=item C<start>

It returns when the service runs or can't be started.

=item C<stop>

It returns when nothing of the service is left or it can't be stopped. It is asked for also where is_running said no or
failed, time and again: then it does nothing and succeeds.

=item C<move_to>

It returns when the service is there or can't be moved. Of a guest that is moved live the copy runs only after
guest_node names the target, whatever it looks like there: until then the original may go on by itself at any moment.

=item C<end_job>

The job may go on for a while: finished_jobs names it when nothing of it is left, not before.

=item C<probe>

An answer belongs to its attempt: what was found out for an earlier one is never given. It returns at once, and changes
nothing.

=back

=for comment The end of what is made.

=head2 HA::Job

What C<start_job> gets, lent, and what a worker does. C<as_hash> has C<id>, C<sid>, C<command>, and where they are set C<uid>,
C<target>, C<timeout>; C<copy> keeps it; C<new(%job)> makes one.

C<< run($node, $agent) >> carries it out with the agent methods of a host, and gives C<'success'> or the exit code of the failure,
as C<start_job> and C<finished_jobs> hand it on. The agent must be another object than the host of the running daemon.

C<< steps($node) >> is for those who do not want to block: an object whose C<next> says what to ask of the agent, as a hash with
C<step> (C<knows_type>, C<locate>, C<check_running>, C<start>, C<stop>, C<move>, C<done>) and C<motion>, C<target>, C<timeout> or
C<exit_code>; and whose C<< answer($host, $answer, $text) >> takes C<ok>, C<yes>, C<no>, C<none> or C<failed>.

=head2 HA::Manager, HA::RoundInput

One round after another, for those with daemons of their own. C<< HA::Manager->new(node => $node, status => $status,
configuration => $configuration, unique => $sixteen_bytes, host => $host, timings => $timings) >> begins from the recorded
status; C<< round($input, $host, $monotonic, $wall) >> plays a round while the node holds the manager lock;
C<resume($status)> goes on after the lock was over for a while; C<status> is what it knows.

C<< rehearse($input, granting => $yes, commands => \@lines, monotonic => $nanoseconds, wall => $seconds) >> plays a round where
nothing happens, with a manager that was made for this, and gives what would have happened, as a list of hashes; C<status> is
what would have been written. With C<granting> every lock can be had, else none can.

C<< HA::RoundInput->new(members => {}, lrms => {}, configuration => $configuration, unmanaged => [], usage => {}) >> is what
a round looks at; keep it, and change it with C<set_member($node, $online)> (undef: no member any more),
C<set_lrm($node, $lrm_status)>, C<set_configuration>, C<set_unmanaged>, C<set_usage>.

=head2 HA::Event

C<name>, such as C<service_state>; C<text($field)>, C<number($field)>, C<list($field)>, by the fields that F<ha.h> names with each
kind; C<severity>; C<sentence> for people; C<json>, C<as_hash>; C<kind>, the number that it has in C; C<copy>;
C<new($json_or_hash)>.

=head2 HA::Simulation

The virtual cluster. C<play_folder($folder)> and C<play_text($scenario, %files)> play a scenario to its end. C<failures> is a
list of L</HA::Error> of what did not go as expected; C<count>, C<happening($index)> and C<happenings> what happened, as
hashes, C<event($index)> as an L</HA::Event>; C<recorded> what the recorded scenarios have a word for; C<places($sid)>,
C<manager_status> and C<view($node)> how it was at the end.

=head2 HA::Error

As a text it is its message. C<status>: C<argument>, C<handle>, C<busy>, C<panic>, C<name>, C<content>, C<not_found>,
C<edit>, C<timings>, C<read>, C<state> or C<limit>. C<message>; C<code>, a stable word for the kind of error; C<line>,
C<section>, C<field>, C<details>, where it has them; C<as_hash>.

=head1 LICENSE

MIT or Apache-2.0, as you like.

=cut
