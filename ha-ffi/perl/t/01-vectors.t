# The vectors of tests/vectors.
use v5.26;
use warnings;
use Test::More;
use HA;
use File::Basename qw(dirname);
use File::Spec;
require File::Spec->rel2abs(dirname(__FILE__) . '/common.pl');

sub code_of { my ($code) = @_; return eval { $code->(); 1 } ? undef : ref $@ ? $@ : die $@ }

subtest config => sub {
    my $defaults = plain(HA::Configuration->new->as_hash('datacenter.cfg')->{settings});
    my $with_defaults = sub {
        my ($settings, $scale) = @_;
        my %all = (%$defaults, scheduler => { %{$defaults->{scheduler}} });
        for my $key (keys %$settings) {
            ref $settings->{$key} eq 'HASH' ? @{$all{$key}}{keys %{$settings->{$key}}} = values %{$settings->{$key}} : ($all{$key} = $settings->{$key});
        }
        return \%all;
    };
    for (vectors('config')) {
        my ($name, $vector) = @$_;
        my $configuration = HA::Configuration->new(service_types => { map { $_ => 'any' } @{$vector->{service_types} // []} });
        if ($vector->{file} eq 'datacenter.json') {
            my $error = code_of(sub { $configuration->read_datacenter_json($vector->{input}) });
            if ($vector->{error}) { is($error && $error->code, $vector->{error}, $name) }
            else { is_deeply(plain($configuration->as_hash('datacenter.cfg')->{settings}), plain($with_defaults->($vector->{settings})), $name) }
            next;
        }
        my $bytes = sub { my ($text, $hex) = @_; return pack 'H*', $hex if defined $hex; utf8::encode($text); return $text };
        $configuration->read($vector->{file}, $bytes->(@$vector{qw(input input_hex)}));
        my $found = plain($configuration->as_hash($vector->{file}));
        is_deeply($found->{sections}, plain($vector->{sections}), "$name: sections") if $vector->{sections};
        is_deeply($found->{settings}, plain($with_defaults->($vector->{settings})), "$name: settings") if $vector->{settings};
        delete $_->{message} for @{$found->{problems}};
        is_deeply($found->{problems}, plain($vector->{problems}), "$name: problems");
        is($configuration->write($vector->{file}), $bytes->(@$vector{qw(output output_hex)}), "$name: written");
        is($configuration->digest($vector->{file}), $vector->{digest}, "$name: digest") if $vector->{digest};
        my @problems = $configuration->problems($vector->{file});
        is(scalar @problems, scalar @{$vector->{problems}}, "$name: number of problems");
        is($_->line, shift(@{$vector->{problems}})->{line}, "$name: line of a problem") for @problems;
    }
};

subtest edits => sub {
    for (vectors('config/edit')) {
        my ($name, $vector) = @$_;
        my $configuration = HA::Configuration->new(map { my $text = $vector->{before}{$_}; utf8::encode($text); $_ => $text } keys %{$vector->{before}});
        my @files  = qw(resources.cfg groups.cfg rules.cfg nodes.cfg);
        my %expect = map { $_ => $configuration->write($_) } @files;
        my $edit   = $vector->{edit};
        my $error  = code_of(sub {
            $configuration->edit($edit->{call}, $edit->{id}, set => $edit->{set} // [], unset => $edit->{unset} // [],
                rule_type => $edit->{rule_type}, seen => $edit->{seen}, nodes => $vector->{nodes} // [],
                in_error => $vector->{in_error} // [], guests => $vector->{guests} // {},
                keep_in_rules => exists $edit->{purge} && !$edit->{purge});
        });
        if ($vector->{after}) {
            is($error, undef, "$name: done");
            for (keys %{$vector->{after}}) { my $text = $vector->{after}{$_}; utf8::encode($text); $expect{$_} = $text }
        } else {
            is($error && $error->code, $vector->{error}, "$name: refused");
            my @faults = map { +{ property => $_->{property}, code => $_->{code} } } @{($error && $error->details) // []};
            is_deeply(\@faults, $vector->{faults} // [], "$name: faults");
        }
        is($configuration->write($_), $expect{$_}, "$name: $_") for @files;
    }
};

subtest rules => sub {
    for (vectors('rules')) {
        my ($name, $vector) = @$_;
        my %files = map { my $lines = $vector->{"${_}_cfg"} // []; ("$_.cfg" => join "\n", @$lines) } qw(rules nodes);
        my $found = plain(HA::Rules->new(HA::Configuration->new(%files), @{$vector->{nodes}})->as_hash);
        delete $found->{nodes};
        is_deeply($found, plain($vector->{expect}), $name);
    }
};

subtest fence => sub {
    for (vectors('fence')) {
        my ($name, $vector) = @$_;
        for my $end ("\n", "\r\n") {
            my $text = join $end, @{$vector->{fence_cfg}};
            utf8::encode($text);
            my $configuration = HA::Configuration->new('fence.cfg' => $text);
            is_deeply(plain($configuration->fence_report(@{$vector->{nodes}})), plain($vector->{expect}), $name);
            my %errors = map { $_->{line} => 1 } @{$vector->{expect}{errors} // []};
            my @warnings = grep { !$errors{$_->line} } $configuration->problems('fence.cfg');
            is_deeply([map { +{ line => $_->line, warning => $_->code } } @warnings], $vector->{warnings}, "$name: warnings");
        }
    }
};

subtest status => sub {
    my $check_error = sub {
        my ($name, $error, $expect) = @_;
        for my $part (@{$expect->{says}}) { ok(index($error->message, $part) >= 0, "$name says $part") or diag $error->message }
        is($error->field // '', $expect->{path}, "$name: path") if exists $expect->{path};
        is($error->line, $expect->{line}, "$name: line") if exists $expect->{line};
        is($error->details->{column}, $expect->{column}, "$name: column") if exists $expect->{column};
    };
    for (vectors('status')) {
        my ($name, $vector) = @$_;
        my ($kind, $expect) = @$vector{qw(kind expect)};
        if ($kind eq 'command') {
            my $plain = eval { HA->check_command($vector->{line}) };
            $expect->{error} ? $check_error->($name, $@, $expect->{error}) : is($plain, $expect->{line}, $name);
        } elsif ($kind eq 'view') {
            my $input = $vector->{input};
            my $resources = join '', map { my ($type, $id) = split /:/, $_, 2; "$type: $id\n\tstate $input->{resources}{$_}\n\n" } sort keys %{$input->{resources}};
            my %types = map { (split /:/)[0] => 'any' } keys %{$input->{resources}};
            my $view = HA::View->new(
                own_node => $input->{own_node}, quorate => $input->{quorate}, now => $input->{now},
                manager => HA::ManagerStatus->new($input->{manager}),
                configuration => HA::Configuration->new(service_types => \%types, 'resources.cfg' => $resources, 'datacenter.cfg' => "crs: ha=$input->{scheduler}\n"),
                lrms => { map { $_ => $input->{lrms}{$_} && HA::LrmStatus->new($input->{lrms}{$_}) } keys %{$input->{lrms}} },
                locations => $input->{locations},
            );
            is_deeply([$view->lines], $expect->{lines}, "$name: lines");
            is_deeply(plain($view->as_hash), plain($expect->{view}), "$name: view") if $expect->{view};
        } else {
            my $class = $kind eq 'lrm_status' ? 'HA::LrmStatus' : 'HA::ManagerStatus';
            my $given = $vector->{text} // JSON::PP->new->canonical->allow_nonref->encode($vector->{record});
            my $record = eval { $class->new($given) };
            if ($expect->{error}) { $check_error->($name, $@, $expect->{error}) }
            elsif (defined $expect->{text}) { is($record->json, $expect->{text}, $name) }
            else { is_deeply(plain($record->as_hash), plain($expect->{record}), $name) }
        }
    }
};

subtest history => sub {
    for (vectors('history')) {
        my ($name, $vector) = @$_;
        my @entries = @{$vector->{entries}};
        if (my $expect = $vector->{error}) {
            for my $refused (sub { HA->history_failovers(undef, @entries) }, sub { HA->history_counted(undef, @entries) },
                sub { HA->history_entry($entries[$expect->{line} - 1]) }) {
                my $error = code_of($refused);
                ok($error, "$name: is refused") or next;
                ok(index($error->message, $_) >= 0, "$name says $_") or diag $error->message for @{$expect->{says}};
                is($error->line // $expect->{line}, $expect->{line}, "$name: line");
            }
            next;
        }
        is_deeply(plain([map { HA->history_entry($_) } @{$vector->{begun}}]), plain(\@entries), "$name: entries");
        my $before = HA->history_counted(undef, @entries[0 .. $vector->{first} - 1]);
        my $counted = HA->history_counted($before, @entries);
        is_deeply(plain($counted), plain($vector->{counted}), "$name: counted");
        is(HA->history_counted($counted, @entries), undef, "$name: nothing counts twice");
        my @failovers = HA->history_failovers(HA::Timings->new($vector->{timings}), @entries);
        is_deeply(plain(\@failovers), plain($vector->{failovers}), "$name: failovers");
    }
};

is(HA->live_handles, 0, 'nothing is left over');
done_testing;
