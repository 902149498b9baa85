# Hosts in Perl: daemons through a life, with each method dying or returning garbage in turn.
use v5.26;
use warnings;
use Test::More;
use HA;

my $SECOND = 1_000_000_000;

package World {
    our @ISA = 'HA::Host';

    sub new {
        my ($class, $story) = @_;
        my %statuses = (
            fencing => { node_status => { n1 => 'online', n2 => 'fence' }, service_status => {
                'vm:100' => { state => 'started', node => 'n1', uid => 'a' }, 'vm:101' => { state => 'fence', node => 'n2', uid => 'b' } } },
            moving => { node_status => { n1 => 'online', n2 => 'online' }, service_status => {
                'vm:100' => { state => 'started', node => 'n1', uid => 'a', running => 1 } } },
            nothing => {},
        );
        my %resources = (fencing => "vm: 100\n\tgroup here\n\nvm: 101\n\n", moving => "vm: 100\n\tgroup here\n\n", nothing => '');
        return bless {
            story => $story, manager => HA::ManagerStatus->new($statuses{$story}), guest_node => 'n1', running => 0, called => {}, events => [],
            files => { 'resources.cfg' => $resources{$story}, 'groups.cfg' => "group: here\n\tnodes n1,n2\n\n",
                'datacenter.cfg' => "crs: ha=static\nfencing: hardware\n", 'fence.cfg' => "device d fence_x\nconnect d node=n2\n" },
        }, $class;
    }

    # Each method first says that it was called, and breaks if it is to.
    our %METHODS = (
        refresh => sub { }, is_quorate => sub { 1 }, members => sub { +{ n1 => 1, n2 => $_[0]{story} eq 'moving' } },
        take_lock => sub { 'renewed' }, release_lock => sub { }, open_watchdog => sub { 'fed' }, feed_watchdog => sub { $_[0]{fed}++; 'fed' },
        close_watchdog => sub { },
        read_manager_status => sub { $_[0]{manager} // HA::NONE },
        write_manager_status => sub { $_[0]{manager} = $_[1]->copy; $_[0]{kept} = $_[1] },
        read_lrm_status => sub { my ($self, $node) = @_; $self->{lrm} && ($node eq 'n1' || $self->{story} eq 'moving') ? $self->{lrm} : HA::NONE },
        write_lrm_status => sub { $_[0]{lrm} = $_[1]->as_hash },
        read_configuration => sub { HA::Configuration->new(%{$_[0]{files}}, guests => { 'vm:100' => 'n1', 'vm:101' => 'n2' }) },
        commands_waiting => sub { defined $_[0]{command} }, take_commands => sub { [grep { defined } delete $_[0]{command}] },
        move_configuration => sub { $_[0]{guest_node} = $_[3] }, remove_leftover_locks => sub { 'backup' },
        set_requested_state => sub { $_[0]{requested} = $_[2] },
        write_group_migration => sub { my ($self, $rules, $digest, $resources) = @_; @{$self->{files}}{qw(rules.cfg resources.cfg)} = ($rules, $resources) },
        remove_groups => sub { $_[0]{files}{'groups.cfg'} = ''; return }, software_version => sub { '9.1.0' },
        forget_fence_attempts => sub { return },
        run_fence_device => sub { my ($self, $node, $incident, $number, $device, $commands) = @_; $self->{fence} = $commands; 'fenced' },
        unmanaged_services => sub { [{ sid => 'vm:900', node => 'n1', running => 1 }] },
        usage => sub { $_[0]{mode} = $_[1]; +{ nodes => { n1 => { max_cpu => 8, max_memory => 1 << 30 } }, services => { map { $_ => { max_cpu => 1 } } qw(vm:100 vm:900) } } },
        random_bytes => sub { '0123456789abcdef' },
        start_job => sub { my ($self, $job) = @_; $job->run('n1', $self->{agent}) }, finished_jobs => sub { [] },
    );
    our %AGENT = (
        knows_type => sub { $_[1] eq 'vm' }, guest_node => sub { $_[0]{world}{guest_node} }, is_running => sub { $_[0]{world}{running} ? 1 : 0 },
        start => sub { $_[0]{world}{running} = 1 }, stop => sub { $_[0]{world}{running} = 0; return }, move_to => sub { $_[0]{world}{guest_node} = $_[2] },
    );

    sub event { my ($self, $event) = @_; push @{$self->{events}}, $event->as_hash }

    sub called {
        my ($world, $name) = @_;
        $world->{called}{$name}++;
        return unless ($world->{broken} // '') eq $name;
        return $world->{breaks}->();
    }

    while (my ($name, $code) = each %METHODS) {
        no strict 'refs';
        *$name = sub { my ($self) = @_; my @broken = called($self, $name); return @broken ? $broken[0] : $code->(@_) };
    }
}

package Agent {
    our @ISA = 'HA::Host';

    sub new { my ($class, $world) = @_; my $self = bless { world => $world }, $class; Scalar::Util::weaken($self->{world}); return $self }

    sub event { my ($self, $event) = @_; push @{$self->{world}{events}}, $event->as_hash }

    while (my ($name, $code) = each %World::AGENT) {
        no strict 'refs';
        *$name = sub { my ($self) = @_; my @broken = World::called($self->{world}, $name); return @broken ? $broken[0] : $code->(@_) };
    }
}

package main;

sub run {
    my ($world, $crm, $lrm, $from, $until) = @_;
    my %next;
    for (my $now = $from; $now <= $until; $now++) {
        for my $daemon ($crm, $lrm) {
            next if ($next{$daemon} // 0) > $now * $SECOND;
            $next{$daemon} = $daemon->tick($world, $now * $SECOND, 1_700_000_000)->{next};
        }
    }
}

sub live {
    my ($story, $broken, $breaks) = @_;
    my $world = World->new($story);
    $world->{agent} = Agent->new($world);
    my $crm = HA::Crm->new(node => 'n1', host => $world);
    my $lrm = HA::Lrm->new(node => 'n1', host => $world);
    @$world{qw(broken breaks)} = ($broken, $breaks);
    run($world, $crm, $lrm, 1, 60);
    $world->{command} = $story eq 'moving' ? 'migrate vm:100 n2' : 'stop vm:100 0';
    run($world, $crm, $lrm, 61, 90);
    $lrm->request_stop($world, 'node_shutdown', 91 * $SECOND);
    run($world, $crm, $lrm, 92, 110);
    $crm->request_stop($world);
    run($world, $crm, $lrm, 111, 120);
    return $world;
}

# An LRM whose worker ends with this.
sub finishing {
    my ($end) = @_;
    my $world = World->new('fencing');
    my $lrm = HA::Lrm->new(node => 'n1', host => $world);
    my @ids;
    no warnings qw(redefine once);
    local *World::start_job = sub { my ($self, $job) = @_; push @ids, $job->as_hash->{id}; return 'running' };
    local *World::finished_jobs = sub { return [map { [$_, $end] } splice @ids] };
    for (my $now = 1; $now <= 40; $now++) { $lrm->tick($world, $now * $SECOND, 1_700_000_000) }
    return $world;
}

my %faults = (dies => sub { die "on purpose\n" }, dies_with_an_object => sub { die { a => 'hash' } }, undef => sub { undef }, zero => sub { 0 }, text => sub { 'nonsense' }, structure => sub { [{}] });
my %well = (undef => qr/^(refresh|release_lock|close_watchdog|write_|move_|set_|remove_groups|forget_|is_quorate|knows_type|start$|stop$)/,
    zero => qr/^(is_quorate|commands_waiting|knows_type|is_running|remove_leftover_locks|software_version|guest_node)$/,
    text => qr/^(refresh|is_quorate|release_lock|close_watchdog|write_|commands_waiting|move_|remove_|forget_|set_|software|knows_type|guest_node|is_running|start$|stop$|read_)/,
    structure => qr/^/);
my %called;
my ($calls, $bad) = (0, 0);
for my $story (qw(fencing moving nothing)) {
    my $world = live($story);
    is_deeply([$world->exceptions], [], "$story: nothing dies");
    if ($story eq 'fencing') {
        is_deeply([map { $_->{words} } @{$world->{fence}}], [['fence_x']], 'commands of fence devices have their words');
        is($world->{mode}, 'static', 'the host knows what its figures are for');
        is($world->{manager}->service('vm:101')->{node}, 'n1', 'the service was recovered');
        eval { $world->{kept}->nodes };
        is(ref $@ && $@->status, 'handle', 'a lent record does not outlive the method');
    }
    for my $method (sort keys %World::METHODS, keys %World::AGENT) {
        for my $fault (sort keys %faults) {
            my $world = eval { live($story, $method, $faults{$fault}) };
            ok($world, "$story: $method, $fault: the daemons live on") or do { diag $@; next };
            my $count = $world->{called}{$method} // next;
            $called{$method} += $count;
            my @exceptions = ($world->exceptions, $world->{agent}->exceptions);
            my @reported = grep { $_->{event} eq 'host_call_failed' } @{$world->{events}};
            if ($fault =~ /^dies/) {
                ok(scalar @exceptions, "$story: $method: what it died of is told");
                ok(scalar @reported, "$story: $method: and reported") unless $method =~ /^(is_quorate|knows_type)$/;
                is(ref $exceptions[0]{exception}, 'HASH', 'as it is') if $fault eq 'dies_with_an_object';
            } elsif ($method !~ $well{$fault}) {
                ok(scalar @reported, "$story: $method: $fault is a failure");
            }
        }
    }
}
ok($called{$_}, "$_ was called") for sort keys %World::METHODS, keys %World::AGENT;

subtest 'a method that calls its own daemon' => sub {
    package Inside { our @ISA = 'HA::Host'; sub new { bless {}, shift } sub refresh { my ($self) = @_; $self->{crm}->tick($self, 1) } sub is_quorate { 0 } }
    my $host = Inside->new;
    my $crm = HA::Crm->new(node => 'n1', host => $host);
    $host->{crm} = $crm;
    Scalar::Util::weaken($host->{crm});
    ok($crm->tick($host, $SECOND), 'the call that it is inside of goes on');
    my ($exception) = $host->exceptions;
    is($exception->{exception}->status, 'busy', 'the inner one is refused');
};

subtest 'a method that drops everything' => sub {
    package Dropping { our @ISA = 'HA::Host'; sub new { bless {}, shift } sub refresh { my ($self) = @_; undef $self->{crm}; return } }
    my $host = Dropping->new;
    $host->{crm} = HA::Crm->new(node => 'n1', host => $host);
    my $wait = eval { $host->{crm}->tick($host, $SECOND) };
    ok($wait, 'the call goes on') or diag $@;
};

subtest 'an event method that dies' => sub {
    package Loud { our @ISA = 'HA::Host'; sub new { bless {}, shift } sub event { die "no events, please\n" } }
    my $host = Loud->new;
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    ok(HA::Crm->new(node => 'n1', host => $host), 'does no harm');
    is(scalar @warnings, 1, 'and is warned of');
    is(($host->exceptions)[0]{method}, 'event', 'and told');
};

subtest 'what workers did' => sub {
    for my $case ([success => 0], [7 => 7], [-1 => -1]) {
        my $world = finishing($case->[0]);
        is_deeply([map { $_->{exit_code} } @{$world->{lrm}{results}}{'a'}], [$case->[1]], "$case->[0] is told on");
    }
    for my $wrong (0, '0', '', undef, 'fine', []) {
        my $world = finishing($wrong);
        is($world->{lrm}{results}{a}, undef, 'no success by accident: ' . ($wrong // 'undef'));
        ok(scalar(grep { $_->{method} eq 'finished_jobs' } $world->exceptions), 'and it is told');
    }
};

subtest 'exceptions that nobody asks for' => sub {
    my $world = World->new('nothing');
    my $crm = HA::Crm->new(node => 'n1', host => $world);
    @$world{qw(broken breaks)} = ('refresh', sub { die "on purpose\n" });
    $crm->tick($world, $_ * 10 * $SECOND) for 1 .. 150;
    is(scalar(my @kept = $world->exceptions), 100, 'are not kept for ever');
};

subtest 'after a bug' => sub {
    my $world = World->new('nothing');
    my $crm = HA::Crm->new(node => 'n1', host => $world);
    eval { HA::FFI::call(test_panic => $crm) };
    is($@->status, 'panic', 'a bug is an exception');
    eval { $crm->tick($world, $SECOND) };
    is($@->status, 'panic', 'and the daemon refuses everything from then on');
};

subtest 'jobs step by step' => sub {
    my $world = World->new('nothing');
    my $job = HA::Job->new(id => 3, sid => 'vm:100', command => 'started', uid => 'u');
    is_deeply($job->copy->as_hash, { id => 3, sid => 'vm:100', command => 'started', uid => 'u' }, 'a job as a hash');
    my $steps = $job->steps('n1');
    is($steps->next->{step}, 'knows_type');
    $steps->answer($world, 'yes')->answer($world, 'ok', 'n1')->answer($world, 'no');
    is($steps->next->{step}, 'start');
    is_deeply($steps->answer($world, 'failed', 'no memory')->answer($world, 'no')->next, { step => 'done', exit_code => 1 });
};

subtest 'a guest that is locked is waited for' => sub {
    my $world = World->new('fencing');
    my $agent = $world->{agent} = Agent->new($world);
    my $locked = 'backup';
    no warnings qw(redefine once);
    local *Agent::start = sub { die HA::Locked->new($locked) if $locked; $world->{running} = 1 };
    my $job = HA::Job->new(id => 1, sid => 'vm:100', command => 'started');
    is($job->run('n1', $agent), 2, 'it is to be tried again');
    my @told = grep { $_->{event} eq 'host_call_failed' } @{$world->{events}};
    is($told[0]{message}, "the guest is locked by 'backup'", 'and the lock is told');
    is_deeply([$agent->exceptions], [], 'it is no exception that nobody thought of');
    is($job->steps('n1')->answer($world, 'yes')->answer($world, 'ok', 'n1')->answer($world, 'no')->answer($world, 'locked', 'clone')
        ->answer($world, 'no')->next->{exit_code}, 2, 'step by step, too');
    ok(!eval { HA::Locked->new(''); 1 }, 'a lock has a name');

    my (@limits, @ended);
    $world = World->new('fencing');
    $agent = $world->{agent} = Agent->new($world);
    local *World::guest_lock = sub { 'backup' };
    local *World::end_job = sub { push @ended, $_[1]; return };
    local *World::job_time_limit = sub { push @limits, $_[1]->as_hash->{command}; 30 };
    my $lrm = HA::Lrm->new(node => 'n1', host => $world);
    run($world, $lrm, $lrm, 1, 40);
    is_deeply($world->{lrm}{results}, {}, 'no failure is reported');
    is($world->{lrm}{services}{'vm:100'}{lock}, 'backup', 'the record names the lock');
    $locked = undef;
    run($world, $lrm, $lrm, 41, 140);
    is($world->{lrm}{results}{a}{exit_code}, 0, 'once it is unlocked it is started');
    ok(!exists $world->{lrm}{services}, 'and nothing is said of it any more');

    local *World::start_job = sub { 'running' };
    $world->{manager} = HA::ManagerStatus->new({ service_status => { 'vm:100' => { state => 'request_stop', node => 'n1', uid => 'b' } } });
    run($world, $lrm, $lrm, 141, 190);
    is_deeply(\@limits, ['request_stop', 'request_stop'], 'the host is asked how long a job may take, and again when that is over');
    is(scalar @ended, 1, 'then it is to be ended');
    is($world->{lrm}{services}{'vm:100'}{hangs}, 'request_stop', 'and is shown');
};

subtest 'a lock that only says that it was taken' => sub {
    my %told = (renewed => [1, 'w'], acquired => [1, 'other'], refused => [0, 'w']);
    is(HA->lock_answer_by_writer(taken => $told{$_}[0], before => $told{$_}[1], own => 'w'), $_, $_) for sort keys %told;
    is(HA->lock_answer_by_writer(taken => 1, own => 'w'), 'acquired', 'nobody had it');
    ok(!eval { HA->lock_answer_by_writer(taken => 1, before => 'w', own => ''); 1 }, 'who writes has to be known');
    my $world = World->new('fencing');
    no warnings qw(redefine once);
    local *World::take_lock = sub { 'held' };
    my $crm = HA::Crm->new(node => 'n1', host => $world);
    run($world, $crm, $crm, 1, 100);
    my $taken = grep { $_->{event} eq 'lock_acquired' && $_->{lock} eq 'ha_manager_lock' } @{$world->{events}};
    is($taken, 1, 'it is acquired once, and renewed from then on');
};

subtest 'a round on its own' => sub {
    my $world = World->new('fencing');
    my $configuration = $world->read_configuration;
    my $manager = HA::Manager->new(node => 'n1', status => $world->{manager}, configuration => $configuration, unique => 'x' x 16, host => $world);
    my $input = HA::RoundInput->new(members => { n1 => 1, n2 => 0 }, configuration => $configuration, lrms => { n1 => HA::LrmStatus->new },
        unmanaged => [{ sid => 'vm:900', node => 'n1', running => 1 }], usage => $world->usage);
    $manager->round($input, $world, $_ * 10 * $SECOND) for 1 .. 2;
    is($manager->status->service('vm:101')->{node}, 'n1', 'recovers');
    my @told = $manager->rehearse($input, commands => ['migrate vm:999 n1'], monotonic => 40 * $SECOND);
    ok(scalar(grep { $_->{event} =~ /^command_/ } @told), 'tells what a command would lead to');
    ok($manager->resume($manager->status), 'resumes');
};

is(HA->live_handles, 0, 'nothing is left over');
is(HA->live_texts, 0, 'no text either');
done_testing;
