# Every class used well and wrongly, and the documentation.
use v5.26;
use warnings;
use utf8;
use Test::More;
use File::Basename qw(dirname);
use HA;

sub error_of { my ($code) = @_; return eval { $code->(); undef } // $@ }

subtest 'about itself' => sub {
    is(HA->abi_version, 2);
    like(HA->version, qr/^\d+\.\d+/);
    is(HA->compare_versions('9.0.0~16', '9.0.0'), -1);
    is(HA->check_command('  stop   vm:100 5'), 'stop vm:100 5');
};

subtest 'a lock passes on by hand, not by name' => sub {
    my %claim = (node => 'node1', holder => 'node1', lifetime => 120, unchanged_for => 0);
    is(HA->decide_lock(%claim, hand => 'own'), 'renewed');
    is(HA->decide_lock(%claim, hand => 'predecessor'), 'renewed');
    is(HA->decide_lock(%claim, hand => 'another', unchanged_for => 119.5), 'refused');
    is(HA->decide_lock(%claim, hand => 'another', unchanged_for => 120), 'acquired');
    is(HA->decide_lock(%claim, hand => 'another', holds => 1), 'twin');
    is(HA->decide_lock(%claim, holder => undef), 'acquired');
    is(HA->decide_lock(%claim, holder => undef, damaged => 1), 'refused');
    is(HA->decide_lock(%claim, holder => 'node2', hand => 'another', holder_lifetime => 300, unchanged_for => 200), 'refused');
    for my $wrong ([hand => undef], [hand => ''], [hand => 'mine'], [lifetime => undef], [unchanged_for => '']) {
        isa_ok(error_of(sub { HA->decide_lock(%claim, hand => 'another', @$wrong) }), 'HA::Error', "without $wrong->[0]");
    }
};

subtest 'every function of the header is known' => sub {
    my $header = dirname(__FILE__) . '/../../../include/ha.h';
    plan skip_all => 'skipped: no header here' unless -e $header;
    open my $file, '<', $header or die $!;
    my $text = do { local $/; <$file> };
    $text =~ s{^HA_MUST_USE\s+}{}gm;
    for my $name (sort $text =~ /^(?:const )?\w+ \*?ha_(\w+)\(/gm) {
        next if $name =~ /^(explanation_node|event_get_kind|abi_version|version|live_handles|live_texts|error_\w+|\w+_name)$/;
        ok($HA::Interface::SIGNATURES{$name}, $name);
    }
    my ($table) = $text =~ /typedef struct ha_callbacks \{(.*?)\} ha_callbacks;/s;
    $table =~ s{//.*}{}g;
    is_deeply(['destroy', 'event', map { $_->[0] } @HA::Interface::CALLBACKS], [$table =~ /\(\*(\w+)\)\(/g], 'callbacks are in the order of the struct');
};

subtest errors => sub {
    my $error = error_of(sub { HA::Configuration->new->set_guest('böse', 'n1') });
    isa_ok($error, 'HA::Error');
    is($error->status, 'name');
    like("$error", qr/'böse' is not a service id/, 'texts are Perl texts');
    is(error_of(sub { HA::Configuration->new->read('other.cfg', '') })->status, 'argument');
    is(error_of(sub { HA::Timings->new({ lock_lifetime_s => 5 })->check })->status, 'timings');
    ok(@{error_of(sub { HA::Timings->new({ lock_lifetime_s => 5 })->check })->details}, 'with the inequalities');
    is(error_of(sub { HA::ManagerStatus->new('{"node_status":{"n1":"odd"}}') })->field, 'node_status.n1');
    is(error_of(sub { HA::ManagerStatus->new->set_node('n1', 'odd') })->status, 'argument');
    is(error_of(sub { HA::Simulation->play_folder('/no/such') })->status, 'read');
    is(error_of(sub { HA::Situation->new(HA::ManagerStatus->new, HA::Configuration->new)->select('vm:1') })->status, 'not_found');
    my $configuration = HA::Configuration->new('resources.cfg' => "vm: 100\n\n");
    my $refused = error_of(sub { $configuration->edit(set_resource => 'vm:100', set => { state => 'on', max_restart => -1 }) });
    is_deeply([map { $_->{property} } @{$refused->details}], ['max_restart', 'state'], 'all faults of an edit');
};

subtest records => sub {
    my $status = HA::ManagerStatus->new;
    $status->set_node(n1 => 'online')->set_node(n2 => 'fence')->set_node(n3 => 'gone')->set_node(n3 => undef);
    is_deeply($status->nodes, { n1 => 'online', n2 => 'fence' });
    $status->set_service(sid => 'vm:100', node => 'n1', state => 'migrate', target => 'n2', uid => 'u');
    $status->set_service(sid => 'vm:101', node => 'n1', state => 'request_stop', timeout => 9);
    is_deeply([$status->services], [
        { sid => 'vm:100', node => 'n1', state => 'migrate', target => 'n2', uid => 'u' },
        { sid => 'vm:101', node => 'n1', state => 'request_stop', timeout => 9 },
    ]);
    ok($status->remove_service('vm:100'));
    ok(!$status->remove_service('vm:100'));
    is($status->service('vm:100'), undef);
    is($status->master, undef);
    my $lrm = HA::LrmStatus->new({ state => 'active', mode => 'restart', timestamp => 5 });
    $lrm->add_result(uid => 'u1', sid => 'vm:100', state => 'started', exit_code => 1)->set(mode => 'active');
    is_deeply([$lrm->state, $lrm->mode, $lrm->timestamp], ['active', 'active', 5]);
    is_deeply($lrm->result('u1'), { uid => 'u1', sid => 'vm:100', state => 'started', exit_code => 1 });
    is_deeply([$lrm->results], [$lrm->result('u1')]);
    is($lrm->result('u2'), undef);
    is($lrm->writer, undef);
    is_deeply($lrm->set_writer('machine', 'boot')->writer, { machine => 'machine', boot => 'boot' });
    is_deeply($lrm->as_hash->{writer}, { machine => 'machine', boot => 'boot' });
    is($lrm->set_writer(undef)->writer, undef);
};

subtest placement => sub {
    my $configuration = HA::Configuration->new('resources.cfg' => "vm: 100\n\nvm: 101\n\n", 'rules.cfg' => "resource-affinity: apart\n\tresources vm:100,vm:101\n\taffinity negative\n\n");
    my $status = HA::ManagerStatus->new({ node_status => { map { $_ => 'online' } qw(n1 n2 n3) },
        service_status => { 'vm:100' => { state => 'started', node => 'n1' }, 'vm:101' => { state => 'started', node => 'n2' } } });
    my $situation = HA::Situation->new($status, $configuration, unmanaged => [{ sid => 'vm:900', node => 'n3', running => 1 }]);
    is($situation->select('vm:100'), 'n1');
    is_deeply([$situation->after_failure('n1')], [{ sid => 'vm:100', from => 'n1', to => 'n3', decided_by => 'lowest_load' }]);
    is(error_of(sub { $situation->after_failure('n9') })->status, 'not_found', 'a node that is typed wrongly is no node that may fail');
    my $typed_wrongly = HA::Configuration->new('resources.cfg' => "vm: 100\n\n", 'rules.cfg' => "node-affinity: home\n\tresources vm:100\n\tnodes n1,n9\n");
    my @unknown = grep { $_->{kind} eq 'unknown_node' } HA::Situation->new($status, $typed_wrongly)->findings;
    is_deeply([map { [@$_{qw(rule node)}] } @unknown], [['home', 'n9']], 'what is left out of account is told');
    my $why = $situation->explain('vm:100', 'best_score');
    is($why->{nodes}[1]{fate}, 'kept_apart');
    like($why->{text}, qr/vm:100/);
    is($situation->explain('vm:100', 'none', [{ change => 'ask_for_best' }])->{preference}, 'best_score');
    is($situation->counterfactual('vm:100', 'best_score', 'n2')->{changes}[0]{change}, 'leave');
    is($situation->balance(1)->{outcome}{result}, 'off');
    my $rules = HA::Rules->new($configuration, qw(n1 n2 n3));
    is_deeply([$rules->why_apart('vm:100', 'vm:101')], ['apart']);
    is_deeply([$rules->why_together('vm:100', 'vm:101')], []);
    is_deeply([HA::Rules->new($configuration, 'n1')->dropped]->[0]->code, 'more_resources_than_nodes');
};

subtest timings => sub {
    my $timings = HA::Timings->new('fast');
    is($timings->check->{lock_lifetime}, 6_600_000_000);
    $timings->set(lrm_idle_rounds => 7);
    is($timings->get('lrm_idle_rounds'), 7);
    is($timings->as_hash->{lock_lifetime_s}, 6.6);
    is($timings->watchdog_timeout_left(0), $timings->check->{watchdog_timeout});
    is($timings->watchdog_timeout_left(10_000_000_000), undef);
};

subtest events => sub {
    my $event = HA::Event->new({ event => 'relocation_exhausted', sid => 'vm:100', failed_nodes => ['n1', 'n2'] });
    is($event->name, 'relocation_exhausted');
    is_deeply([$event->copy->list('failed_nodes')], ['n1', 'n2']);
    is($event->severity, 'error');
    is($event->text('node'), undef);
    is(HA::Event->new('{"event":"stop_requested","sid":"vm:1","timeout":4}')->number('timeout'), 4);
    like($event->sentence, qr/vm:100/);
    cmp_ok($event->kind, '>', 1);
};

subtest simulation => sub {
    my $simulation = HA::Simulation->play_text("# A node dies.\nnodes n1 n2 n3\nguest vm:100 on n3\nat 1m power off n3\nuntil 5m\nexpect vm:100 running on n1\n", 'resources.cfg' => "vm: 100\n");
    is_deeply([$simulation->failures], []);
    is_deeply([$simulation->places('vm:100')], ['n1']);
    is($simulation->manager_status->service('vm:100')->{node}, 'n1');
    like($simulation->view('n1'), qr/vm:100/);
    my ($fenced) = grep { $_ && $_->name eq 'notify_fence_succeeded' } map { $simulation->event($_) } 0 .. $simulation->count - 1;
    is($fenced->text('node'), 'n3');
    is(error_of(sub { HA::Simulation->play_text("nodez\n") })->line, 1);
};

subtest 'a configuration from hashes' => sub {
    my $made = HA::Configuration->from_hashes(
        resources => { 'vm:100' => { state => 'started', max_restart => 2 }, 'vm:101' => {} },
        groups => { front => { nodes => { n1 => 2, n2 => 0 }, restricted => 1 } },
        rules => [ home => { type => 'node-affinity', resources => ['vm:100'], nodes => { n1 => 1 }, comment => "50%: \x{e4}" },
            apart => { type => 'resource-affinity', resources => [qw(vm:100 vm:101)], affinity => 'negative' } ],
        datacenter => { crs => { ha => 'static' } }, guests => { 'vm:100' => 'n1' });
    my %files = (
        'resources.cfg' => "vm: 100\n\tmax_restart 2\n\tstate started\n\nvm: 101\n\n",
        'groups.cfg' => "group: front\n\tnodes n1:2,n2\n\trestricted 1\n\n",
        'rules.cfg' => "node-affinity: home\n\tcomment 50%25%3A %C3%A4\n\tnodes n1:1\n\tresources vm:100\n\n"
            . "resource-affinity: apart\n\taffinity negative\n\tresources vm:100,vm:101\n\n");
    is($made->write($_), HA::Configuration->new(%files)->write($_), "$_ is as its file would be") for sort keys %files;
    is_deeply($made->guests, { 'vm:100' => 'n1' }, 'it has its guests');
    is_deeply([map { $made->guest_node($_) } qw(vm:100 vm:101)], ['n1', undef], 'and knows where they are');
    my @wrong = ({ resources => { 'vm:100' => { comment => "a\n\tstate stopped" } } }, { resources => { "vm:100\n\nvm: 101" => {} } },
        { resources => { 'vm:100' => { stat => 'started' } } }, { rules => { home => { resources => ['vm:100'] } } }, { resource => {} },
        { datacenter => { crs => { ha => 'best' } } });
    isa_ok(error_of(sub { HA::Configuration->from_hashes(%$_) }), 'HA::Error', 'what is no configuration: the error') for @wrong;
};

subtest documentation => sub {
    require Pod::Checker;
    my $checker = Pod::Checker->new(-warnings => 1);
    $checker->parse_from_file(dirname(__FILE__) . '/../lib/HA.pm', '/dev/null');
    is($checker->num_errors, 0, 'the documentation is in order');
    my $lib = dirname(__FILE__) . '/../lib';
    my $read = sub { open my $in, '<', $_[0] or die "$_[0]: $!"; local $/; <$in> };
    my ($code, $pod) = split /^__END__$/m, $read->("$lib/HA.pm");
    for my $method (sort map { /^sub ([a-z]\w*)/gm } $code, map { $read->($_) } grep { !m{FFI|JSON} } glob "$lib/HA/*.pm") {
        ok($pod =~ /\b\Q$method\E\b/, "$method is documented");
    }
};

is(HA->live_handles, 0, 'nothing is left over');
is(HA->live_texts, 0, 'no text either');
done_testing;
